/** `create`: a box's record and directory. */
import { mkdirSync } from 'node:fs';

import { A3sError } from '../errors.ts';
import type { Image } from '../images/image.ts';
import { ensureRootfs, type Rootfs } from '../images/rootfs.ts';
import { readIndex } from '../images/store.ts';
import { deleteBox } from '../state/box-updates.ts';
import { updateBoxes } from '../state/boxes-file.ts';
import { type BoxId, newBoxId } from '../state/ids.ts';
import { checkName, generateName } from '../state/names.ts';
import { processStart } from '../state/processes.ts';
import type { BoxRecord } from '../state/record.ts';
import { allBoxes } from './engine.ts';
import { checkPlatform, familiarImage, requireImage } from './images.ts';
import { checkLimits } from './limits.ts';
import { newRecord } from './new-record.ts';
import type { CreateOptions, Engine } from './types.ts';
import type { MountRequest } from './volumes/mount-request.ts';
import {
  checkBindSources,
  checkMountCount,
  makeBindSources,
  provideVolumes,
  withImageVolumes,
} from './volumes/provide.ts';
import { workloadOf } from './workload.ts';

/**
 * Makes a box that does not run yet. Nothing is left when it fails.
 * @throws A3sError `no_such_image`, `image_broken`, `invalid_config`, `name_conflict`, and what the state throws.
 */
export async function createBox(engine: Engine, options: CreateOptions): Promise<BoxRecord> {
  const { record } = await makeBox(engine, options, 'created');
  return record;
}

/** A new box with what it takes to start it. */
export interface MadeBox {
  record: BoxRecord;
  rootfs: Rootfs;
}

/** Gives a box its identity once it is known what it is to be. */
export type Identify = (mounts: readonly MountRequest[], rootfs: Rootfs) => BoxId | Promise<BoxId>;

/** As createBox; `starting` makes a box of this process, to be launched at once, in the same write. */
export async function makeBox(
  engine: Engine,
  options: CreateOptions,
  initial: 'created' | 'starting',
  identify: Identify = newBoxId,
): Promise<MadeBox> {
  if (options.name !== undefined) checkName(options.name);
  checkLimits(options);
  const image = await requireImage(engine, options.image);
  checkPlatform(engine, image, options.platform);
  const workload = workloadOf(options, image.config);
  const mounts = withImageVolumes(options.volumes, options.tmpfs, image.config.volumes);
  checkBindSources(mounts);
  checkMountCount(mounts);
  const rootfs = await ensureRootfs(engine.layout, image, engine.bundleDir);
  // A box that vanished must not keep its name when it was to be removed.
  await allBoxes(engine);
  const id = await identify(mounts, rootfs);
  const record = newRecord(engine.layout, { options, image, workload, id });
  await insertRecord(engine, initial, record, mounts);
  try {
    // Only now: a name that is taken must not leave directories behind.
    makeBindSources(mounts);
    makeDirectory(record.box_dir);
    checkStillThere(engine, image, options.image);
  } catch (error) {
    await deleteBox(engine.layout, record.id);
    throw error;
  }
  return { record, rootfs };
}

/** Whoever removes an image looks for boxes after it has left the index; here the index is looked at after the box is known. */
function checkStillThere(engine: Engine, image: Image, text: string): void {
  if (readIndex(engine.layout.imagesDir).some(({ digest }) => digest === image.digest)) return;
  throw new A3sError('no_such_image', `No such image: ${familiarImage(text)}`);
}

/** Makes sure that name and ID are free, draws a name where none was given, and adds the record with its volumes, all under the lock. */
function insertRecord(
  engine: Engine,
  initial: 'created' | 'starting',
  record: BoxRecord,
  mounts: readonly MountRequest[],
): Promise<void> {
  return updateBoxes(
    engine.layout,
    async (boxes) => {
      if (boxes.some((box) => box.short_id === record.short_id)) {
        throw new A3sError('io', `the ID ${record.short_id} was drawn twice`, {
          hint: 'run the command again',
        });
      }
      const holder = boxes.find((box) => box.name === record.name);
      if (holder !== undefined) throw nameConflict(holder);
      if (record.name === '') record.name = generateName(new Set(boxes.map((box) => box.name)));
      record.volumes = await provideVolumes(engine.layout, mounts);
      if (initial === 'starting') claim(record);
      boxes.push(record);
    },
    engine.notify,
  );
}

/** Marks a record as being started by this process; `restarting`: on behalf of its policy. */
export function claim(record: BoxRecord, status: 'starting' | 'restarting' = 'starting'): void {
  record.status = status;
  record.pid = process.pid;
  record.pid_start = processStart(process.pid);
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new A3sError('io', `cannot make ${path}: ${String(cause)}`, { cause });
  }
}

/** @param context what stands before Docker's words */
export function nameConflict(holder: BoxRecord, context = ''): A3sError {
  return new A3sError(
    'name_conflict',
    `${context}Conflict. The container name "/${holder.name}" is already in use by container "${holder.id}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  );
}
