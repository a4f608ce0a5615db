/** `build` beside `buildah bud --layers`: from the cache, steps anew, a large context, and what a RUN costs beyond its command. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findProgram } from '../../src/runtime/host-cache.ts';
import { expects, time, type Contender } from '../measure.ts';
import { peakMemory } from '../peak-memory.ts';
import type { Goal, MeasureResult, Row } from '../result.ts';
import { rowOf } from '../rows.ts';
import { IMAGE, STAYS, type Setting } from '../setting.ts';
import { inTurn } from '../turns.ts';
import { pair } from './pair.ts';

const COPIES = 20;
/** What a RUN may cost beyond its command on a machine without hardware virtualization. */
const RUN_MS = 150;
const RUNS = 10;
/** Of the steps anew: three seconds each. */
const MOST_ROUNDS = 10;
const CONTEXT_GIB = 2;
/** What a build with `-q` prints, with buildah or with us. */
const IMAGE_ID = /^(sha256:)?[0-9a-f]{64}\n$/;

export async function build(setting: Setting, rounds: number): Promise<MeasureResult> {
  const buildah = peer(setting);
  const few = Math.min(rounds, MOST_ROUNDS);
  try {
    const rows = [
      await cached(setting, rounds, buildah),
      await copies(setting, few, buildah),
      await oneRun(setting, few, buildah),
      await commands(setting, few),
      ...(await large(setting, buildah)),
    ];
    const flags = 'buildah: --layers, --isolation=chroot, which starts no runtime.';
    return { rows, notes: [buildah === null ? 'buildah is not installed.' : flags] };
  } finally {
    setting.tell(setting.ours('builder', 'prune', '-af'));
    setting.tell(setting.ours('image', 'prune', '-f'));
  }
}

/** Builds with buildah, from the same image, in a store of its own. */
type Peer = (context: string, ...flags: string[]) => Contender;

function peer(setting: Setting): Peer | null {
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

/** A build that prints an ID; the same one each time, if it is to come from the cache. */
function identified(contender: Contender, always: boolean): Contender {
  let first: string | undefined;
  const after = (output: string): void => {
    expects(IMAGE_ID)(output);
    first ??= output;
    if (always) expects(first)(output);
  };
  return { ...contender, after };
}

/** Ten steps, all of them known. */
async function cached(setting: Setting, rounds: number, buildah: Peer | null): Promise<Row> {
  const steps = Array.from({ length: 5 }, (_, n) => `COPY f${n} /d/f${n}\nRUN echo ${n} >/r${n}`);
  const context = contextOf(setting, 'cached', steps, 5);
  expectContent(setting, context, 'cat /d/f4 /r4', `${contentOf(4)}4\n`);
  return pair('build, ten steps from the cache', rounds, {
    ours: identified(setting.ours('build', '-q', context), true),
    other: buildah === null ? null : identified(buildah(context), true),
    goal: { most: 1, of: 'ratio' },
  });
}

/** Twenty files, none of them known. */
async function copies(setting: Setting, rounds: number, buildah: Peer | null): Promise<Row> {
  const steps = Array.from({ length: COPIES }, (_, n) => `COPY f${n} /d/f${n}`);
  const context = contextOf(setting, 'copies', steps, COPIES);
  const all = Array.from({ length: COPIES }, (_, n) => n);
  const read = `cat ${all.map((n) => `/d/f${n}`).join(' ')}`;
  expectContent(setting, context, read, all.map(contentOf).join(''));
  return anew(`build, ${COPIES} COPY steps anew`, setting, rounds, buildah, context, {
    most: 1,
    of: 'ratio',
  });
}

/** A command and nothing else, not known. */
async function oneRun(setting: Setting, rounds: number, buildah: Peer | null): Promise<Row> {
  const context = contextOf(setting, 'command', ['RUN echo done >/done'], 0);
  expectContent(setting, context, 'cat /done', 'done\n');
  return anew('build, one RUN step anew', setting, rounds, buildah, context);
}

function anew(
  what: string,
  setting: Setting,
  rounds: number,
  buildah: Peer | null,
  context: string,
  goal?: Goal,
): Promise<Row> {
  return pair(what, rounds, {
    ours: identified(setting.ours('build', '-q', '--no-cache', context), false),
    other: buildah === null ? null : identified(buildah(context, '--no-cache'), false),
    ...(goal === undefined ? {} : { goal }),
  });
}

/** What ten more RUNs add to a build, each, less what the command takes in a box that runs. */
async function commands(setting: Setting, rounds: number): Promise<Row> {
  const few = contextOf(setting, 'one-run', ['RUN true'], 0);
  const more = Array.from({ length: RUNS + 1 }, (_, n) => `RUN true ${n}`);
  const many = contextOf(setting, 'many-runs', more, 0);
  const box = setting.tell(setting.ours('run', '-d', IMAGE, ...STAYS));
  const inBox = Array.from({ length: RUNS }, () => 'true').join('; ');
  const contenders: readonly Contender[] = [
    identified(setting.ours('build', '-q', '--no-cache', few), false),
    identified(setting.ours('build', '-q', '--no-cache', many), false),
    { ...setting.ours('exec', box, 'sh', '-c', inBox), after: expects('') },
    { ...setting.ours('exec', box, 'true'), after: expects('') },
  ];
  const [one = [], eleven = [], commandsInBox = [], command = []] = await inTurn(
    contenders.length,
    rounds,
    1,
    (index) => time(contenders[index] ?? { name: 'none', command: [] }),
  );
  setting.tell(setting.ours('rm', '-f', box));
  const each = one.map((ms, round) => {
    const inTheBuild = ((eleven[round] ?? Number.NaN) - ms) / RUNS;
    const alone = ((commandsInBox[round] ?? Number.NaN) - (command[round] ?? Number.NaN)) / RUNS;
    return inTheBuild - Math.max(alone, 0);
  });
  return rowOf('a RUN beyond its command', 'ms', each, { goal: { most: RUN_MS, of: 'value' } });
}

/** Time and memory of a context of 2 GiB, half of it noise, half of it text; once. */
async function large(setting: Setting, buildah: Peer | null): Promise<Row[]> {
  const context = contextOf(setting, 'large', ['COPY noise text /data/'], 0);
  const half = (CONTEXT_GIB / 2) * 2 ** 30;
  execFileSync('sh', ['-c', `head -c ${half} /dev/urandom > "$0"/noise`, context]);
  execFileSync('sh', ['-c', `yes 'a line of text' | head -c ${half} > "$0"/text`, context]);
  execFileSync('sync');
  const mine = await peakMemory(setting.ours('build', '-q', '--no-cache', context));
  execFileSync('sync');
  const theirs = buildah === null ? null : await peakMemory(buildah(context, '--no-cache'));
  rmSync(context, { recursive: true });
  const row = (what: string, unit: string, own: number, other: number | undefined): Row =>
    rowOf(what, unit, [own], other === undefined ? {} : { beside: { name: 'buildah', values: [other] } });
  const what = `build with a context of ${CONTEXT_GIB} GiB`;
  return [
    row(what, 'ms', mine.ms, theirs?.ms),
    row(`${what}: peak memory of all its processes`, 'MiB', mine.mib, theirs?.mib),
  ];
}

/** Builds it once, by which all its steps are known; what a command in the image says is to be as expected. */
function expectContent(setting: Setting, context: string, command: string, wanted: string): void {
  const id = setting.tell(setting.ours('build', '-q', context));
  expects(wanted.trim())(setting.tell(setting.ours('run', '--rm', id, 'sh', '-c', command)));
}

function contextOf(setting: Setting, name: string, steps: readonly string[], files: number): string {
  const directory = join(setting.dir, name);
  mkdirSync(directory);
  for (let n = 0; n < files; n += 1) writeFileSync(join(directory, `f${n}`), contentOf(n));
  writeFileSync(join(directory, 'Dockerfile'), [`FROM ${IMAGE}`, ...steps, ''].join('\n'));
  return directory;
}

function contentOf(n: number): string {
  return `file ${n}\n`.repeat(100);
}
