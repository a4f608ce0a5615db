/** A small image, built and written into a store. */
import type { BuiltLayer } from '../../../../src/build/cache/built-layer.ts';
import type { ImageStep } from '../../../../src/build/cache/image-steps.ts';
import { parseDockerfile } from '../../../../src/build/dockerfile/parse-dockerfile.ts';
import { ImageDraft } from '../../../../src/build/image/image-draft.ts';
import {
  writeImage,
  type WriteImageOptions,
  type WrittenImage,
} from '../../../../src/build/output/write-image.ts';
import type { Lease } from '../../../../src/images/store/leases.ts';
import type { Layout } from '../../../../src/state/layout.ts';
import { layerWith } from '../cache/fixture/store.ts';

export const created = '2026-01-02T03:04:05.000Z';
export const amd64 = { os: 'linux', architecture: 'amd64', variant: '' };

export interface Built {
  draft: ImageDraft;
  layer: BuiltLayer;
  steps: ImageStep[];
}

/** `COPY`, a RUN that changes nothing, `CMD`. */
export async function buildSmall(layout: Layout, lease: Lease, content = 'hello'): Promise<Built> {
  const draft = ImageDraft.scratch(amd64, { epoch: null });
  const layer = await layerWith(layout, lease, content);
  const results = [{ layer, created }, { layer: null, created }, undefined];
  const stage = parseDockerfile('FROM scratch\nCOPY file /\nRUN ["true"]\nCMD ["sh"]').stages[0];
  for (const [n, instruction] of (stage?.instructions ?? []).entries()) {
    const words = 'words' in instruction ? instruction.words : [];
    draft.apply(instruction, { words, declared: [], workingDirectory: '/' }, results[n]);
  }
  const steps = [
    { key: `copy ${content}`, result: { layer, created }, description: '[1/2] COPY file /' },
    { key: `run on ${content}`, result: { layer: null, created }, description: '[2/2] RUN true' },
  ];
  return { draft, layer, steps };
}

export function write(
  layout: Layout,
  lease: Lease,
  { draft, steps }: Built,
  options: Partial<WriteImageOptions> = {},
): Promise<WrittenImage> {
  return writeImage(layout, lease, draft, {
    form: 'oci',
    annotations: {},
    steps,
    inlineCache: false,
    ...options,
  });
}
