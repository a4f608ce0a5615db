/**
 * What lists show of images, kept in one file: a list of many need not open the blobs of each. A manifest's digest decides all of it, so
 * that what is kept never grows stale.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isObject } from '../json.ts';
import type { Layout } from '../state/layout.ts';
import type { Image } from './image.ts';
import { isDigest } from './reference.ts';

/** An image as lists show and filter it. */
export interface ImageSummary extends Omit<Image, 'config' | 'layers'> {
  config: { labels: Readonly<Record<string, string>> };
}

/** The part that the manifest decides. */
export interface Kept {
  /** Digest of the configuration. */
  id: string;
  created: string;
  labels: Readonly<Record<string, string>>;
  /** Bytes of the layers as the manifest tells them. */
  layerBytes: number;
}

export function keptOf({ id, created, config, layers }: Image): Kept {
  const layerBytes = layers.reduce((sum, layer) => sum + layer.size, 0);
  return { id, created, labels: config.labels, layerBytes };
}

/** What is kept, by manifest digest; nothing of it when the file is missing or damaged. */
export function readKept(layout: Layout): Map<string, Kept> {
  try {
    const value: unknown = JSON.parse(readFileSync(fileOf(layout), 'utf8'));
    return new Map(Object.entries(isObject(value) ? value : {}).filter(isSound));
  } catch {
    // It is written anew.
    return new Map();
  }
}

/** Replaces what is kept. It is a cache: where it cannot be written, the next list opens the blobs again. */
export function writeKept(layout: Layout, kept: ReadonlyMap<string, Kept>): void {
  const file = fileOf(layout);
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(layout.cacheDir, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, JSON.stringify(Object.fromEntries(kept)), { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    if (existsSync(temporary)) rmSync(temporary);
  }
}

function fileOf(layout: Layout): string {
  return join(layout.cacheDir, 'images.json');
}

function isSound(item: [string, unknown]): item is [string, Kept] {
  const [, value] = item;
  if (!isObject(value)) return false;
  const { id, created, labels, layerBytes } = value;
  const isId = typeof id === 'string' && isDigest(id);
  const hasLabels = isObject(labels) && Object.values(labels).every((label) => typeof label === 'string');
  return isId && typeof created === 'string' && hasLabels && Number.isSafeInteger(layerBytes);
}
