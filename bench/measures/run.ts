/** `run`: warm, with a pool, the first one of an image, after the caches were dropped, in the background. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findImage } from '../../src/images/find.ts';
import { ensureRootfs } from '../../src/images/rootfs.ts';
import { bundleDir } from '../../src/runtime/bundle.ts';
import { readBoxes } from '../../src/state/boxes-file.ts';
import { floorCommand } from '../floor.ts';
import { expects, type Contender } from '../measure.ts';
import type { MeasureResult } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { besides, pair } from './pair.ts';

const WORDS = ['run', '--rm', IMAGE, 'echo', 'on'];
const COLD = { A3S_BOX_POOL: '0' };

export async function warmRun(setting: Setting, rounds: number): Promise<MeasureResult> {
  const ours = said(setting.ours(...WORDS));
  const podman = besides(setting, ...WORDS);
  const other = podman === null ? null : said(podman);
  return {
    rows: [
      await pair('run --rm IMAGE', rounds, { ours, other, goal: { most: 1.2, of: 'ratio' } }),
      await pair('run --rm IMAGE, the least that could do the same', rounds, {
        ours,
        other: await floor(setting),
        goal: { most: 1.5, of: 'ratio' },
      }),
    ],
  };
}

export async function pooledRun(setting: Setting, rounds: number): Promise<MeasureResult> {
  setting.tell(setting.ours('pool', 'start', '--image', IMAGE, '--size', '1', '--wait'));
  try {
    const full = setting.ours('pool', 'start', '--image', IMAGE, '--size', '1', '--wait');
    const ready = (): void => void setting.tell(full);
    const ours = { ...said(setting.ours(...WORDS)), before: ready };
    const podman = besides(setting, ...WORDS);
    // As quiet beside podman as beside ours.
    const other = podman === null ? null : { ...said(podman), before: ready };
    const cold = {
      ...setting.ours(...WORDS),
      name: 'cold',
      env: { A3S_HOME: setting.home, ...COLD },
      before: ready,
    };
    return {
      rows: [
        await pair('run --rm IMAGE with a warm box', rounds, {
          ours,
          other,
          goal: { most: 0.8, of: 'ratio' },
        }),
        await pair('run --rm IMAGE with a warm box, and without', rounds, { ours, other: cold }),
      ],
      notes: ['The pool is full before each run; what a refill costs is in the starts per second.'],
    };
  } finally {
    setting.tell(setting.ours('pool', 'stop'));
  }
}

/** The image is there with its root filesystem, as after a pull, but no box of it has run yet. */
export async function firstRun(setting: Setting, rounds: number): Promise<MeasureResult> {
  const forget = async (): Promise<void> => {
    await setting.imageTemplate();
    for (const directory of setting.imageTemplates()) rmSync(directory, { recursive: true });
  };
  const ours = { ...said(setting.ours(...WORDS)), before: forget };
  const warm = {
    ...said(setting.ours(...WORDS)),
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
  // What a reboot takes away; the accelerator's verdict and the clock's rate are not measured again.
  const drop = (): void => writeFileSync('/proc/sys/vm/drop_caches', '3');
  const ours = { ...said(setting.ours(...WORDS)), before: drop };
  const podman = besides(setting, ...WORDS);
  const other = podman === null ? null : { ...said(podman), before: drop };
  return { rows: [await pair('run --rm IMAGE, caches dropped', rounds, { ours, other, warmUp: 0 })] };
}

export async function detachedRun(setting: Setting, rounds: number): Promise<MeasureResult> {
  const words = ['run', '-d', IMAGE, 'sleep', '1000'];
  const remove = (id: string): void => void setting.tell(setting.ours('rm', '-f', id.trim()));
  const ours = { ...setting.ours(...words), after: remove };
  const podman = besides(setting, ...words);
  const other =
    podman === null
      ? null
      : {
          ...podman,
          after: (id: string): void => void setting.tell(setting.podman('rm', '-f', '-t', '0', id.trim())),
        };
  return { rows: [await pair('run -d until the ID is printed', rounds, { ours, other })] };
}

function said(contender: Contender): Contender {
  return { ...contender, after: expects('on\n') };
}

/** See floor.c. Its box only lends it the facts for its request. */
async function floor(setting: Setting): Promise<Contender> {
  const name = setting.tell(setting.ours('create', IMAGE, 'true'));
  const box = (await readBoxes(setting.layout)).find(({ id }) => id === name);
  const image = await findImage(setting.layout, bundleDir(), IMAGE);
  if (box === undefined || image === null) throw new Error('no box to measure');
  const rootfs = await ensureRootfs(setting.layout, image, bundleDir());
  const scratch = join(setting.dir, 'floor');
  mkdirSync(scratch, { recursive: true });
  const record = { ...box, auto_remove: true, entrypoint: [], cmd: ['true'], port_map: [] };
  const command = await floorCommand(setting.layout, record, rootfs, scratch);
  setting.tell(setting.ours('rm', name));
  return { name: 'floor', command };
}
