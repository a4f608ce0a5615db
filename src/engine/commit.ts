/** `commit`: what a box has changed becomes a layer on its image. */
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import { applyChanges } from '../build/image/changes.ts';
import { registerImage } from '../images/archive/register.ts';
import { Spool, type SpooledFile } from '../images/archive/spool.ts';
import { MediaType } from '../images/manifest.ts';
import { canonicalTag, familiarString, parseReference } from '../images/reference.ts';
import { takeLease } from '../images/store/leases.ts';
import { SIZE_ANNOTATION } from '../images/store.ts';
import { type Fingerprint, fingerprinting } from '../images/verify.ts';
import { A3sError } from '../errors.ts';
import { objectOr } from '../json.ts';
import { openFiles } from '../runtime/files-client.ts';
import type { BoxRecord } from '../state/record.ts';
import { withBoxFiles } from './box-files.ts';
import { tellBox } from './box-tell.ts';
import { documentsOf } from './image-documents.ts';
import { requireImage } from './images.ts';
import type { Engine } from './types.ts';

export interface CommitOptions {
  /** As the user wrote it; null for an image without a name. */
  name: string | null;
  author: string;
  message: string;
  /** Dockerfile instructions for the image's configuration. */
  changes: readonly string[];
  /** The box's processes stand still while its files are read. */
  pause: boolean;
}

/**
 * @returns the new image's ID.
 * @throws A3sError `usage` for a bad name or change, what withBoxFiles throws, `io`.
 */
export async function commitBox(engine: Engine, query: string, options: CommitOptions): Promise<string> {
  const names = options.name === null ? [] : [nameOf(options.name)];
  // What is wrong here needs no box to be told.
  applyChanges({}, options.changes);
  return withBoxFiles(engine, query, { writes: false }, async (record) => {
    using lease = takeLease(engine.layout);
    const image = await requireImage(engine, record.image_id);
    await lease.hold([image.digest, image.id, ...image.layers.map(({ digest }) => digest)]);
    using spool = new Spool(engine.layout);
    const { layer, print } = await layerOf(record, spool, options.pause);
    const { manifest: base, config: baseConfig } = documentsOf(engine, image);
    const config = spool.add(json(configuration(baseConfig, record, print.digest, options)));
    const manifest = spool.add(
      json({
        schemaVersion: 2,
        mediaType: MediaType.ociManifest,
        config: { mediaType: MediaType.ociConfig, digest: config.digest, size: config.size },
        layers: [
          ...base.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
          { mediaType: MediaType.ociLayerGzip, digest: layer.digest, size: layer.size },
        ],
      }),
    );
    const entry = {
      mediaType: MediaType.ociManifest,
      digest: manifest.digest,
      size: manifest.size,
      annotations: { [SIZE_ANNOTATION]: String(image.size + print.size) },
    };
    const files = [manifest, config, layer];
    const made = await registerImage(engine.layout, engine.bundleDir, spool, {
      entry,
      files,
      names,
      made: true,
    });
    tellBox(engine.layout, record, 'commit', {
      comment: options.message,
      imageID: made.image.id,
      imageRef: options.name === null ? '' : familiarString(parseReference(options.name)),
    });
    return made.image.id;
  });
}

function nameOf(text: string): string {
  const reference = parseReference(text);
  if (reference.digest === undefined) return canonicalTag(reference);
  throw new A3sError('usage', 'refusing to create a tag with a digest reference');
}

/** The changes, compressed, and the fingerprint of what they are uncompressed. */
async function layerOf(
  record: BoxRecord,
  spool: Spool,
  freeze: boolean,
): Promise<{ layer: SpooledFile; print: Fingerprint }> {
  const stream = await openFiles(record, { op: 'layer', freeze });
  const writer = spool.create();
  let print: Fingerprint = { digest: '', size: 0 };
  await pipeline(
    stream.output,
    fingerprinting((value) => (print = value)),
    createGzip(),
    async (source: AsyncIterable<Buffer>) => {
      for await (const piece of source) writer.write(piece);
    },
  );
  await stream.done;
  return { layer: writer.end(), print };
}

/** The image's configuration, with what the box was given on top, then the changes (moby, daemon/commit.go). */
function configuration(
  base: Record<string, unknown>,
  record: BoxRecord,
  diffId: string,
  { author, message, changes }: CommitOptions,
): unknown {
  const created = new Date().toISOString();
  const { diff_ids: below, ...rootfs } = objectOr(base['rootfs']);
  const step = {
    created,
    created_by: record.cmd.join(' '),
    ...(author === '' ? {} : { author }),
    ...(message === '' ? {} : { comment: message }),
  };
  return {
    ...base,
    created,
    ...(author === '' ? {} : { author }),
    config: applyChanges(ownConfig(objectOr(base['config']), record), changes),
    rootfs: { type: 'layers', ...rootfs, diff_ids: [...listOf(below), diffId] },
    history: [...listOf(base['history']), step],
  };
}

function ownConfig(image: Record<string, unknown>, record: BoxRecord): Record<string, unknown> {
  const ports = record.exposed_ports.map(({ guest_port, protocol }) => [`${guest_port}/${protocol}`, {}]);
  const volumes = record.volumes
    .filter(({ origin }) => origin === 'volumes')
    .map(({ target }) => [target, {}]);
  return {
    ...image,
    Env: record.env,
    Entrypoint: record.entrypoint.length === 0 ? null : record.entrypoint,
    Cmd: record.cmd.length === 0 ? null : record.cmd,
    User: record.user,
    WorkingDir: record.working_dir === '/' ? (image['WorkingDir'] ?? '') : record.working_dir,
    Labels: record.labels,
    StopSignal: record.stop_signal,
    ...(ports.length === 0 ? {} : { ExposedPorts: Object.fromEntries(ports) }),
    ...(volumes.length === 0 ? {} : { Volumes: Object.fromEntries(volumes) }),
  };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
