/** The text of boxes.json: parsing with every field checked, migration, serialisation. Pure. */
import { A3sError } from '../errors.ts';
import { isObject } from '../json.ts';
import type { BoxRecord, BoxesFile } from './record.ts';
import { assertRecord } from './record-check.ts';

/** The version this program writes. */
export const CURRENT_VERSION: BoxesFile['version'] = 2;

/** Turns the boxes of one version into those of the next. */
export type Migration = (boxes: unknown[]) => unknown[];

/** By the version it starts from: `MIGRATIONS[1]` leads to version 2. Every version that was ever released is here. */
const MIGRATIONS: Readonly<Record<number, Migration>> = { 1: addVolumes };

/** Why a file cannot be used, with the reader's next step left to the caller. */
export class CorruptBoxesFile extends Error {}

/**
 * The boxes in the text of a boxes.json.
 * @throws CorruptBoxesFile when it is no such file; A3sError `state_newer` when a newer program wrote it.
 */
export function parseBoxes(text: string): BoxRecord[] {
  return checkBoxes(migrate(parseFile(text), CURRENT_VERSION, MIGRATIONS));
}

interface RawFile {
  version: number;
  boxes: unknown[];
}

function parseFile(text: string): RawFile {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new CorruptBoxesFile(error instanceof Error ? error.message : 'not JSON');
  }
  if (!isObject(file)) throw new CorruptBoxesFile('it holds no object');
  const { version, boxes } = file;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    throw new CorruptBoxesFile('it has no version');
  }
  // Before its boxes are looked at: a newer version may keep them elsewhere.
  if (version > CURRENT_VERSION) throw newerVersion(version);
  if (!Array.isArray(boxes)) throw new CorruptBoxesFile('it has no list of boxes');
  return { version, boxes };
}

/** Applies one migration after the other until `boxes` are of the version `to`. */
export function migrate(
  file: RawFile,
  to: number,
  migrations: Readonly<Record<number, Migration>>,
): unknown[] {
  let { version, boxes } = file;
  for (; version < to; version += 1) {
    const step = migrations[version];
    if (step === undefined) throw new CorruptBoxesFile(`version ${version} was never written`);
    boxes = step(boxes);
  }
  return boxes;
}

/** @throws CorruptBoxesFile naming the box and its field. */
function checkBoxes(boxes: unknown[]): BoxRecord[] {
  const seen = new Set<string>();
  return boxes.map((box, index) => {
    try {
      assertRecord(box);
    } catch (error) {
      throw new CorruptBoxesFile(`box ${index + 1}: ${error instanceof Error ? error.message : 'unsound'}`);
    }
    if (seen.has(box.short_id) || seen.has(box.name)) {
      throw new CorruptBoxesFile(`box ${index + 1}: another box has its ID or name`);
    }
    seen.add(box.short_id).add(box.name);
    return box;
  });
}

/** Version 2 knows volumes, exposed ports and health checks; a version 1 box has bind mounts and tmpfs only. */
function addVolumes(boxes: unknown[]): unknown[] {
  return boxes.map((box) => {
    if (!isObject(box)) return box;
    return {
      ...box,
      volumes: each(box['volumes'], (mount) => ({
        ...mount,
        name: '',
        mode: mount['read_only'] === true ? 'ro' : '',
        subpath: '',
        copy: false,
        anonymous: false,
        origin: 'binds',
      })),
      tmpfs: each(box['tmpfs'], (mount) => ({ ...mount, from_mount: false })),
      exposed_ports: [],
      publish_all: false,
      healthcheck: null,
    };
  });
}

/** Anything but a list of objects is left for the check to refuse. */
function each(list: unknown, change: (entry: Record<string, unknown>) => object): unknown {
  if (!Array.isArray(list)) return list;
  return list.map((entry: unknown) => (isObject(entry) ? change(entry) : entry));
}

/** The text of a boxes.json: one box a line, so that it greps and diffs well. */
export function formatBoxes(boxes: readonly BoxRecord[]): string {
  const lines = boxes.map((box) => JSON.stringify(box));
  return `{"version":${CURRENT_VERSION},"boxes":[${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n`}]}\n`;
}

function newerVersion(version: number): A3sError {
  return new A3sError(
    'state_newer',
    `boxes.json has version ${version}, this a3s-box knows versions up to ${CURRENT_VERSION}`,
    { hint: 'use the newer a3s-box that wrote it, or another A3S_HOME' },
  );
}
