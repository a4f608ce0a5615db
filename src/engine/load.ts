/** `load`: images from an archive. */
import type { Readable } from 'node:stream';

import { contentsOf } from '../images/archive/contents.ts';
import { readArchive } from '../images/archive/read.ts';
import { registerImage } from '../images/archive/register.ts';
import { Spool } from '../images/archive/spool.ts';
import { type Descriptor, parseManifest } from '../images/config.ts';
import { hostPlatform, parsePlatform } from '../images/platform.ts';
import { familiarString, parseReference } from '../images/reference.ts';
import { readJsonBlob } from '../images/store.ts';
import { layerName, type TransferProgress } from '../images/transfer/progress.ts';
import { tellImage } from './image-events.ts';
import type { Engine } from './types.ts';

/** Files of an archive that progress is told of; the others are small. */
const BLOB = /^blobs\/sha256\/([0-9a-f]{12})[0-9a-f]{52}$/;

/** Manifests and configurations come in no time. */
const SHOWN_BYTES = 1024 * 1024;

export interface LoadOptions {
  /** Which image of an index of several; the host's when left out. */
  platform?: string;
  progress: TransferProgress;
}

/**
 * Takes every image of the archive into the store.
 * @returns the lines that Docker prints about them.
 * @throws A3sError `image_broken` naming what is wrong with the archive, `io`.
 */
export async function loadImages(
  engine: Engine,
  input: Readable,
  { platform, progress }: LoadOptions,
): Promise<string[]> {
  const wanted = platform === undefined ? hostPlatform() : parsePlatform(platform, 'invalid platform: ');
  using spool = new Spool(engine.layout);
  const archive = await readArchive(input, spool, {
    file(name, done, total) {
      const [, id] = BLOB.exec(name) ?? [];
      if (id !== undefined && total >= SHOWN_BYTES) progress.layer(id, 'Loading layer', { done, total });
    },
  });
  const lines: string[] = [];
  for (const archived of contentsOf(archive, spool, wanted)) {
    const { image, moved } = await registerImage(engine.layout, engine.bundleDir, spool, archived);
    for (const layer of image.layers) {
      if (layer.size >= SHOWN_BYTES) progress.layer(layerName(layer.digest), 'Loaded');
    }
    for (const { name, from } of moved) {
      const id = idOf(engine, from);
      lines.push(
        `The image ${shown(name)} already exists, renaming the old one with ID ${id} to empty string`,
      );
    }
    tellImage(engine.layout, 'load', image.id, image.id);
    const names = archived.names.map((name) => `Loaded image: ${shown(name)}`);
    lines.push(...(names.length === 0 ? [`Loaded image ID: ${image.id}`] : names));
  }
  return lines;
}

/** The image's ID, or its manifest's digest where it is damaged or has just gone. */
function idOf(engine: Engine, entry: Descriptor): string {
  try {
    return parseManifest(readJsonBlob(engine.layout.imagesDir, entry)).config.digest;
  } catch {
    return entry.digest;
  }
}

function shown(name: string): string {
  return familiarString(parseReference(name));
}
