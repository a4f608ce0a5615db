/** `import`: a root filesystem in a tar becomes an image of one layer. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { layerType } from '../images/archive/contents.ts';
import { applyChanges } from '../build/image/changes.ts';
import { registerImage } from '../images/archive/register.ts';
import { Spool, type SpooledFile } from '../images/archive/spool.ts';
import { MediaType } from '../images/manifest.ts';
import { hostPlatform, parsePlatform, type Platform } from '../images/platform.ts';
import { canonicalTag, parseReference } from '../images/reference.ts';
import { A3sError } from '../errors.ts';
import { unpacking } from '../images/layers/compression.ts';
import { discard, type Fingerprint, fingerprinting } from '../images/verify.ts';
import { tellImage } from './image-events.ts';
import type { Engine } from './types.ts';

export { fetchUrl, shownUrl } from '../images/registry/fetch-url.ts';

/** True for a source that is downloaded. */
export function isUrl(source: string): boolean {
  return /^https?:\/\//.test(source);
}

export interface ImportOptions {
  /** As the user wrote it; null for an image without a name. */
  name: string | null;
  /** Dockerfile instructions for the image's configuration. */
  changes: readonly string[];
  /** What history says of the layer. */
  message: string;
  platform?: string;
}

/**
 * @returns the image's ID.
 * @throws A3sError `usage` for a bad name, change or platform, `image_broken` for what is no tar, `io`.
 */
export async function importImage(engine: Engine, input: Readable, options: ImportOptions): Promise<string> {
  const { name, changes, message, platform } = options;
  const names = name === null ? [] : [nameOf(name)];
  const target = platform === undefined ? hostPlatform() : parsePlatform(platform);
  const run = applyChanges({}, changes);
  using spool = new Spool(engine.layout);
  const layer = await spooled(spool, input);
  const diffId = await diffIdOf(layer);
  const config = spool.add(json(configuration(run, target, diffId, message)));
  const manifest = spool.add(
    json({
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config: { mediaType: MediaType.ociConfig, digest: config.digest, size: config.size },
      layers: [{ mediaType: layerType(layer.path), digest: layer.digest, size: layer.size }],
    }),
  );
  const entry = {
    mediaType: MediaType.ociManifest,
    digest: manifest.digest,
    size: manifest.size,
    annotations: {},
  };
  const { image } = await registerImage(engine.layout, engine.bundleDir, spool, {
    entry,
    files: [manifest, config, layer],
    names,
    made: true,
  });
  tellImage(engine.layout, 'import', image.id, image.id);
  return image.id;
}

function nameOf(text: string): string {
  const reference = parseReference(text);
  if (reference.digest !== undefined) throw new A3sError('usage', 'cannot import digest reference');
  return canonicalTag(reference);
}

async function spooled(spool: Spool, input: Readable): Promise<SpooledFile> {
  const writer = spool.create();
  for await (const piece of input) writer.write(Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece)));
  return writer.end();
}

async function diffIdOf(layer: SpooledFile): Promise<string> {
  let print: Fingerprint = { digest: '', size: 0 };
  await pipeline(
    createReadStream(layer.path),
    unpacking('the archive'),
    fingerprinting((value) => (print = value)),
    discard(),
  );
  return print.digest;
}

function configuration(
  config: Record<string, unknown>,
  { os, architecture, variant }: Platform,
  diffId: string,
  message: string,
): unknown {
  const created = new Date().toISOString();
  return {
    architecture,
    ...(variant === '' ? {} : { variant }),
    os,
    created,
    config,
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created, comment: message }],
  };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
