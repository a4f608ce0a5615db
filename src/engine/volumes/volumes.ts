/** `volume create`, `ls`, `inspect`, `rm`: named volumes, as the verbs mean them. */
import { A3sError } from '../../errors.ts';
import { updateBoxes } from '../../state/boxes-file.ts';
import { ANONYMOUS_LABEL, checkVolumeName } from '../../state/volume-record.ts';
import {
  addVolume,
  anonymousName,
  dropVolume,
  emptyTrash,
  readVolume,
  usersOf,
  volumeNames,
} from '../../state/volumes.ts';
import { allBoxes } from '../engine.ts';
import type { Engine } from '../types.ts';
import { type VolumeJson, volumeJson } from './volume-json.ts';

export interface CreateVolumeOptions {
  /** Undefined draws one. */
  name: string | undefined;
  driver: string;
  labels: Record<string, string>;
  /** Driver options, `key=value`. */
  options: readonly string[];
}

/** Options of Docker's local driver. */
const LOCAL_OPTIONS = new Set(['type', 'device', 'o', 'size']);

/**
 * Makes a volume; one that is there already is kept as it is.
 * @returns its name.
 * @throws A3sError `invalid_config` in Docker's words, `unsupported` for driver options, `io`.
 */
export async function createVolume(engine: Engine, options: CreateVolumeOptions): Promise<string> {
  const name = options.name ?? anonymousName();
  checkVolumeName(name);
  if (options.driver !== 'local') {
    throw new A3sError(
      'invalid_config',
      `create ${name}: error looking up volume plugin ${options.driver}: plugin "${options.driver}" not found`,
    );
  }
  for (const option of options.options) refuseOption(name, option);
  const anonymous = options.name === undefined ? { [ANONYMOUS_LABEL]: '' } : {};
  await updateBoxes(
    engine.layout,
    async () => {
      if (readVolume(engine.layout, name) !== null) return;
      await addVolume(engine.layout, name, { ...options.labels, ...anonymous });
    },
    engine.notify,
  );
  return name;
}

function refuseOption(volume: string, option: string): never {
  const [key = ''] = option.split('=', 1);
  if (LOCAL_OPTIONS.has(key))
    throw new A3sError('unsupported', `volume options are not supported: ${option}`);
  throw new A3sError('invalid_config', `create ${volume}: invalid option: "${key}"`);
}

/** A volume, and whether a box mounts it. */
export interface ListedVolume extends VolumeJson {
  inUse: boolean;
}

/**
 * Every volume, by name.
 * @throws A3sError `state_corrupt` naming a damaged record.
 */
export async function listVolumes(engine: Engine): Promise<ListedVolume[]> {
  const boxes = await allBoxes(engine);
  return volumeNames(engine.layout).flatMap((name) => {
    const record = readVolume(engine.layout, name);
    // Removed since the names were read.
    if (record === null) return [];
    return [{ ...volumeJson(engine.layout, record), inUse: usersOf(boxes, name).length > 0 }];
  });
}

/**
 * The volume with this name, in Docker's shape.
 * @throws A3sError `no_such_volume`, `state_corrupt`.
 */
export function inspectVolume(engine: Engine, name: string): VolumeJson {
  const record = readVolume(engine.layout, name);
  if (record === null) throw noSuchVolume(name);
  return volumeJson(engine.layout, record);
}

/**
 * Removes a volume and its files.
 * @param options.force one that is not there is no error
 * @throws A3sError `no_such_volume`, `volume_in_use` naming the boxes.
 */
export async function removeVolume(engine: Engine, name: string, options: { force: boolean }): Promise<void> {
  // A box that vanished must not hold a volume.
  await allBoxes(engine);
  await updateBoxes(
    engine.layout,
    (boxes) => {
      const users = usersOf(boxes, name);
      if (users.length > 0) {
        const ids = users.map((box) => box.id).join(', ');
        throw new A3sError('volume_in_use', `remove ${name}: volume is in use - [${ids}]`);
      }
      // Not read: a damaged record must not keep a volume from being removed.
      if (volumeNames(engine.layout).includes(name)) dropVolume(engine.layout, name);
      else if (!options.force) throw noSuchVolume(name);
    },
    engine.notify,
  );
  emptyTrash(engine.layout);
}

function noSuchVolume(name: string): A3sError {
  return new A3sError('no_such_volume', `get ${name}: no such volume`);
}
