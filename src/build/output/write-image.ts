/** A built image in the store. */
import type { Image } from '../../images/image.ts';
import type { Descriptor } from '../../images/config.ts';
import type { Lease } from '../../images/store/leases.ts';
import type { Layout } from '../../state/layout.ts';
import type { ImageDraft } from '../image/image-draft.ts';

/** An image whose blobs are in the store, though no name may lead to it. */
export interface WrittenImage {
  /** `sha256:…` of the configuration. */
  id: string;
  /** Of the manifest. */
  entry: Descriptor;
}

/** The steps of the image by their keys, lowest layer first; a null key: a layer that no later build may take for a step's. */
export interface ImageSteps {
  keys: readonly (string | null)[];
  /** `BUILDKIT_INLINE_CACHE=1`, `--cache-to type=inline`: the keys are in the configuration, too, and go where the image goes. */
  inline: boolean;
}

/** Writes manifest and configuration under the lease; `form` decides on the media types. */
export declare function writeImage(
  layout: Layout,
  lease: Lease,
  draft: ImageDraft,
  options: { form: 'oci' | 'docker'; annotations: Readonly<Record<string, string>>; steps: ImageSteps },
): Promise<WrittenImage>;

export interface NamedImage {
  image: Image;
  /** Names that another image had until now. */
  moved: { name: string; from: Descriptor }[];
}

/** Makes its root filesystem and gives it its whole names; without any it is a dangling image. */
export declare function nameImage(
  layout: Layout,
  bundleDir: string,
  written: WrittenImage,
  names: readonly string[],
): Promise<NamedImage>;
