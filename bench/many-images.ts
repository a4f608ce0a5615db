/** A store with many images in it, each of the size of a real one's manifest and configuration; their layers are never read. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Descriptor } from '../src/images/config.ts';
import { loadImage } from '../src/images/image.ts';
import { withImage } from '../src/images/store/entries.ts';
import { changeIndex } from '../src/images/store/transaction.ts';
import { blobPath } from '../src/images/store.ts';
import { layoutOf } from '../src/state/layout.ts';

const LAYERS = 8;

/** Fills the store of `home` with `count` images of so many layers, all with one name, all from one registry. */
export async function makeImages(home: string, count: number, ofLayers = LAYERS): Promise<void> {
  const layout = layoutOf(home);
  const write = (mediaType: string, value: object): Descriptor => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestOf(bytes);
    const path = blobPath(layout.imagesDir, digest);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, bytes, { mode: 0o600 });
    return { mediaType, digest, size: bytes.length, annotations: {} };
  };
  await changeIndex(layout, (before) => {
    let entries = before;
    for (let n = 0; n < count; n += 1) {
      const diffIds = Array.from({ length: ofLayers }, (_, layer) => digestOf(`${n} ${layer}`));
      const config = write('application/vnd.oci.image.config.v1+json', {
        architecture: 'amd64',
        os: 'linux',
        created: new Date(Date.UTC(2026, 0, 1) + n * 3_600_000).toISOString(),
        config: { Cmd: ['sh'], Env: ['PATH=/usr/bin:/bin'], Labels: { 'org.example.number': String(n) } },
        rootfs: { type: 'layers', diff_ids: diffIds },
        history: diffIds.map((id) => ({ created_by: `RUN make ${id}`.repeat(3) })),
      });
      const layers = diffIds.map((digest) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest,
        size: 10_000_000,
      }));
      const manifest = write('application/vnd.oci.image.manifest.v1+json', {
        schemaVersion: 2,
        config,
        layers,
      });
      const image = loadImage(layout.imagesDir, manifest, []);
      const repository = `docker.io/bench/image-${n}`;
      entries = withImage(entries, {
        manifest,
        size: image.size,
        name: `${repository}:latest`,
        origin: `${repository}@${manifest.digest}`,
      });
    }
    return entries;
  });
}

function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
