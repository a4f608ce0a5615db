import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { updateBoxes } from '../../../src/state/boxes-file.ts';
import { type Layout, layoutOf } from '../../../src/state/layout.ts';
import { reconcile } from '../../../src/state/reconcile.ts';
import { buildDirectory, sweepDeadBuilds, workDirectory } from '../../../src/state/template-builds.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { ended, startSleeper } from './fixture/child.ts';

/** No process has it: above the kernel's highest. */
const DEAD_BUILD = '.build-4194305-1';

async function emptyHome(): Promise<Layout> {
  const layout = layoutOf(join(temporaryDirectory(), 'home'));
  await updateBoxes(layout, () => {});
  return layout;
}

test('a build whose process was killed is swept away by the next command, with its VM', async () => {
  const layout = await emptyHome();
  const dir = join(layout.templatesDir, DEAD_BUILD);
  mkdirSync(dir, { recursive: true });
  const qemu = join(layout.home, 'qemu-system-x86_64');
  copyFileSync(process.execPath, qemu);
  const vm = await startSleeper(qemu, `mem-path=${dir}/memory`);
  await reconcile(layout);
  expect(await ended(vm)).toBeNull();
  expect(readdirSync(layout.templatesDir)).toEqual([]);
});

test('what a killed build of an image has left is swept away, and its VM', async () => {
  const layout = await emptyHome();
  const dir = join(layout.buildsDir, 'vm-4194305-1-2');
  mkdirSync(dir, { recursive: true });
  const qemu = join(layout.home, 'qemu-system-x86_64');
  copyFileSync(process.execPath, qemu);
  const vm = await startSleeper(qemu, `a3s-box ${dir}`);
  await reconcile(layout);
  expect(await ended(vm)).toBeNull();
  expect(readdirSync(layout.buildsDir)).toEqual([]);
});

test('live builds and finished templates stay', async () => {
  const layout = await emptyHome();
  const [one, other] = [workDirectory(layout, 'vm'), workDirectory(layout, 'vm')];
  expect(one).not.toBe(other);
  const kept = [buildDirectory(layout), one, other, join(layout.templatesDir, 'base-2c-656m-0s-tcg')];
  for (const dir of kept) mkdirSync(dir, { recursive: true });
  await reconcile(layout);
  expect(kept.filter((dir) => !existsSync(dir))).toEqual([]);
});

test('a state directory without templates is no error', async () => {
  const layout = layoutOf(join(temporaryDirectory(), 'none'));
  await sweepDeadBuilds(layout);
  expect(existsSync(layout.home)).toBe(false);
});
