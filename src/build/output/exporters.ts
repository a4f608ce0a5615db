/** `--output`: what is built, as files. */
import type { Writable } from 'node:stream';

import type { Layout } from '../../state/layout.ts';
import type { WrittenImage } from './write-image.ts';

/** `type=oci|docker`: an archive of the image to `sink`, which is left open. @param names whole ones. */
export declare function exportArchive(
  layout: Layout,
  written: WrittenImage,
  options: { form: 'oci' | 'docker'; names: readonly string[]; sink: Writable; signal: AbortSignal },
): Promise<void>;

/** `type=oci|docker,tar=false`: an OCI image layout in a directory, added to what is there. */
export declare function exportLayout(
  layout: Layout,
  written: WrittenImage,
  options: { directory: string; names: readonly string[]; signal: AbortSignal },
): Promise<void>;

/** `type=local`: a tree's tar (`exportTree`) into a directory, merged with what is there. Nothing is written outside of it. */
export declare function exportLocal(
  tar: AsyncIterable<Buffer>,
  directory: string,
  signal: AbortSignal,
): Promise<void>;

/** `type=tar`: to `sink`, which is left open. */
export declare function exportTar(
  tar: AsyncIterable<Buffer>,
  sink: Writable,
  signal: AbortSignal,
): Promise<void>;
