/** `run`: warm, the first one of an image, after the caches were dropped, in the background. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findImage } from '../../src/images/find.ts';
import { ensureRootfs } from '../../src/images/rootfs.ts';
import { bundleDir } from '../../src/runtime/bundle.ts';
import { floorCommand } from '../floor.ts';
import { expects, type Contender } from '../measure.ts';
import type { MeasureResult } from '../result.ts';
import { BOX_ID, IMAGE, STAYS, type Setting } from '../setting.ts';
import { besides, having, pair } from './pair.ts';

/** Says a word, so that one that ends well without having run is no result. */
export const SAYS = ['run', '--rm', IMAGE, 'echo', 'on'];
export const SAID = { after: expects('on\n') };
const TRUE = ['run', '--rm', IMAGE, 'true'];
/** Seconds each, most of them not measured. */
const MOST_REBOOTS = 10;

export async function warmRun(setting: Setting, rounds: number): Promise<MeasureResult> {
  const ours = { ...setting.ours(...TRUE), after: expects('') };
  const saying = { ...setting.ours(...SAYS), ...SAID };
  return {
    rows: [
      await pair('run --rm IMAGE true', rounds, {
        ours,
        other: having(besides(setting, ...TRUE), { after: expects('') }),
        goal: { most: 1.2, of: 'ratio' },
      }),
      await pair('run --rm IMAGE true, podman without a network', rounds, {
        ours,
        other: having(besides(setting, 'run', '--network', 'none', ...TRUE.slice(1)), { after: expects('') }),
      }),
      await pair('run --rm IMAGE echo', rounds, {
        ours: saying,
        other: having(besides(setting, ...SAYS), SAID),
      }),
      await pair('run --rm IMAGE true, the least that could do the same', rounds, {
        ours,
        other: await floor(setting),
        goal: { most: 1.5, of: 'ratio' },
      }),
    ],
  };
}

/** The image is there with its root filesystem, as after a pull, but no box of it has run yet. */
export async function firstRun(setting: Setting, rounds: number): Promise<MeasureResult> {
  const forget = async (): Promise<void> => {
    await setting.imageTemplate();
    for (const directory of setting.imageTemplates()) rmSync(directory, { recursive: true });
  };
  const ours = { ...setting.ours(...SAYS), ...SAID, before: forget };
  const warm = {
    ...setting.ours(...SAYS),
    ...SAID,
    name: 'warm',
    before: (): Promise<void> => setting.imageTemplate(),
  };
  const row = await pair('first run of an image, and a later one', rounds, {
    ours,
    other: warm,
    goal: { most: 3, of: 'ratio' },
  });
  await setting.imageTemplate();
  return { rows: [row] };
}

export async function coldCaches(setting: Setting, rounds: number): Promise<MeasureResult> {
  if (process.getuid?.() !== 0) return { rows: [], notes: ['Only root can drop the caches.'] };
  const drop = (): void => {
    // Pages that are still to be written cannot be dropped, and would be written while the next one is measured.
    execFileSync('sync');
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  };
  const cold = { ...SAID, before: drop };
  const row = await pair('run --rm IMAGE, caches dropped', Math.min(rounds, MOST_REBOOTS), {
    ours: { ...setting.ours(...SAYS), ...cold },
    other: having(besides(setting, ...SAYS), cold),
    warmUp: 0,
  });
  const notes = ["The verdict on the accelerator and the clock's rate, which a new boot finds anew, stay."];
  return { rows: [row], notes };
}

export async function detachedRun(setting: Setting, rounds: number): Promise<MeasureResult> {
  const words = ['run', '-d', IMAGE, ...STAYS];
  const runs = (inspect: (id: string) => string, remove: (id: string) => void) => (output: string) => {
    expects(BOX_ID)(output);
    const id = output.trim();
    if (inspect(id) !== 'true') throw new Error('the box does not run');
    remove(id);
  };
  const running = ['inspect', '--format', '{{.State.Running}}'];
  const row = await pair('run -d until the ID is printed', rounds, {
    ours: {
      ...setting.ours(...words),
      after: runs(
        (id) => setting.tell(setting.ours(...running, id)),
        (id) => setting.tell(setting.ours('rm', '-f', id)),
      ),
    },
    other: having(besides(setting, ...words), {
      after: runs(
        (id) => setting.tell(setting.podman(...running, id)),
        (id) => setting.tell(setting.podman('rm', '-f', '-t', '0', id)),
      ),
    }),
  });
  return { rows: [row] };
}

/** See floor.c. Its box only lends it the facts for its request. */
async function floor(setting: Setting): Promise<Contender> {
  const box = await setting.model();
  const image = await findImage(setting.layout, bundleDir(), IMAGE);
  if (image === null) throw new Error('no image to measure');
  const rootfs = await ensureRootfs(setting.layout, image, bundleDir());
  const scratch = join(setting.dir, 'floor');
  mkdirSync(scratch, { recursive: true });
  const record = { ...box, auto_remove: true, entrypoint: [], cmd: ['true'], port_map: [] };
  const command = await floorCommand(setting.layout, record, rootfs, scratch);
  return { name: 'floor', command };
}
