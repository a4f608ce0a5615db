/** `build` beside `buildah bud --layers`: from the cache, twenty COPY steps, and what a RUN costs beyond its command. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findProgram } from '../../src/runtime/host-cache.ts';
import { expects, time, type Contender } from '../measure.ts';
import type { MeasureResult, Row } from '../result.ts';
import { IMAGE, type Setting } from '../setting.ts';
import { statisticsOf } from '../statistics.ts';
import { pair } from './pair.ts';

const COPIES = 20;
/** What a RUN may cost beyond its command on a machine without hardware virtualization. */
const RUN_MS = 150;
const RUNS = 10;

export async function build(setting: Setting, rounds: number): Promise<MeasureResult> {
  const buildah = await peer(setting);
  const rows = [
    await cached(setting, rounds, buildah),
    await copies(setting, rounds, buildah),
    await commands(setting, rounds),
  ];
  setting.tell(setting.ours('builder', 'prune', '-af'));
  setting.tell(setting.ours('image', 'prune', '-f'));
  return { rows, notes: buildah === null ? ['buildah is not installed.'] : [] };
}

/** Builds with buildah, from the same image, in a store of its own. */
type Peer = (context: string, ...flags: string[]) => Contender;

async function peer(setting: Setting): Promise<Peer | null> {
  if (findProgram('buildah') === null) return null;
  const store = join(setting.dir, 'buildah');
  const program = ['buildah', `--root=${store}`, `--runroot=${store}-run`, '--storage-driver=overlay'];
  const archive = join(setting.dir, 'build-base.tar');
  setting.tell(setting.ours('save', '-o', archive, IMAGE));
  setting.tell({ name: 'buildah pull', command: [...program, 'pull', '-q', `docker-archive:${archive}`] });
  rmSync(archive);
  return (context, ...flags) => ({
    name: 'buildah bud',
    command: [...program, 'bud', '--layers', '--isolation=chroot', '-q', ...flags, context],
  });
}

/** Ten steps, all of them known. */
async function cached(setting: Setting, rounds: number, buildah: Peer | null): Promise<Row> {
  const steps = Array.from({ length: 5 }, (_, n) => `COPY f${n} /d/f${n}\nRUN echo ${n} >/r${n}`);
  const context = contextOf(setting, 'cached', steps, 5);
  return pair('build, ten steps from the cache', rounds, {
    ours: setting.ours('build', '-q', context),
    other: buildah?.(context) ?? null,
    goal: { most: 1, of: 'ratio' },
  });
}

/** Twenty files, none of them known. */
async function copies(setting: Setting, rounds: number, buildah: Peer | null): Promise<Row> {
  const steps = Array.from({ length: COPIES }, (_, n) => `COPY f${n} /d/f${n}`);
  const context = contextOf(setting, 'copies', steps, COPIES);
  return pair('build, twenty COPY steps anew', rounds, {
    ours: setting.ours('build', '-q', '--no-cache', context),
    other: buildah?.(context, '--no-cache') ?? null,
    goal: { most: 1, of: 'ratio' },
  });
}

/** What ten more RUNs add to a build, each, less what the command takes in a box that runs. */
async function commands(setting: Setting, rounds: number): Promise<Row> {
  const few = contextOf(setting, 'one-run', ['RUN true'], 0);
  const many = contextOf(
    setting,
    'many-runs',
    Array.from({ length: RUNS + 1 }, (_, n) => `RUN true ${n}`),
    0,
  );
  const box = setting.tell(setting.ours('run', '-d', IMAGE, 'sleep', '1000'));
  const inBox = Array.from({ length: RUNS }, () => 'true').join('; ');
  const contenders: readonly Contender[] = [
    setting.ours('build', '-q', '--no-cache', few),
    setting.ours('build', '-q', '--no-cache', many),
    { ...setting.ours('exec', box, 'sh', '-c', inBox), after: expects('') },
    { ...setting.ours('exec', box, 'true'), after: expects('') },
  ];
  const each: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const taken: number[] = [];
    for (const contender of contenders) taken.push(await time(contender));
    const [one = 0, more = 0, commandsInBox = 0, command = 0] = taken;
    each.push((more - one) / RUNS - Math.max((commandsInBox - command) / RUNS, 0));
  }
  setting.tell(setting.ours('rm', '-f', box));
  const goal = { most: RUN_MS, of: 'value' } as const;
  return { what: 'a RUN beyond its command', unit: 'ms', ours: statisticsOf(each), goal };
}

function contextOf(setting: Setting, name: string, steps: readonly string[], files: number): string {
  const directory = join(setting.dir, name);
  mkdirSync(directory);
  for (let n = 0; n < files; n += 1) writeFileSync(join(directory, `f${n}`), `file ${n}\n`.repeat(100));
  writeFileSync(join(directory, 'Dockerfile'), [`FROM ${IMAGE}`, ...steps, ''].join('\n'));
  return directory;
}
