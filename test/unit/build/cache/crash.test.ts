import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { BuildCache } from '../../../../src/build/cache/build-cache.ts';
import { readLayer } from '../../../../src/build/cache/layers.ts';
import { openCacheMount } from '../../../../src/build/cache/mounts.ts';
import { PRUNE_EVERYTHING, pruneBuildCache } from '../../../../src/build/cache/prune.ts';
import { cacheRecords } from '../../../../src/build/cache/records.ts';
import { storeLock } from '../../../../src/images/image.ts';
import { takeLease } from '../../../../src/images/store/leases.ts';
import { namesIn } from '../../../../src/state/directory.ts';
import { buildCachePaths, type Layout } from '../../../../src/state/layout.ts';
import { withLock } from '../../../../src/state/lock.ts';
import { collect, emptyStore } from './fixture/store.ts';

const BUILDER = join(import.meta.dirname, 'fixture', 'builder.ts');
/** A round takes half a second; a busy machine takes longer. */
const KILLING_MS = 240_000;
const ROUNDS = 12;

async function startBuilder(layout: Layout): Promise<ChildProcess> {
  const child = spawn(process.execPath, [BUILDER, layout.home], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

/** Every step that is found has its layer, whole. */
async function checkSteps(layout: Layout): Promise<number> {
  using lease = takeLease(layout);
  const cache = new BuildCache(layout, lease);
  let found = 0;
  for (let n = 0; n < 20; n += 1) {
    const step = await cache.find(`step ${n}`);
    if (step === null || step.layer === null) continue;
    found += 1;
    let bytes = 0;
    for await (const piece of readLayer(layout, step.layer)) bytes += piece.length;
    expect(bytes).toBeGreaterThan(0);
  }
  return found;
}

test(
  'builds side by side, killed at any instant, and prunes among them leave a store that is sound',
  async () => {
    const layout = emptyStore();
    let builders = await Promise.all([startBuilder(layout), startBuilder(layout)]);
    let found = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const [victim, ...others] = builders;
      if (victim === undefined) break;
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60));
      expect(victim.exitCode, 'a build that nobody has killed').toBeNull();
      const gone = once(victim, 'exit');
      victim.kill('SIGKILL');
      if (round % 3 === 0) await pruneBuildCache(layout, PRUNE_EVERYTHING);
      else await withLock(storeLock(layout), () => collect(layout), { timeoutMs: KILLING_MS });
      found += await checkSteps(layout);
      await gone;
      builders = [...others, await startBuilder(layout)];
    }
    for (const builder of builders) {
      const gone = once(builder, 'exit');
      builder.kill('SIGKILL');
      await gone;
    }
    expect(found).toBeGreaterThan(0);
    await checkSteps(layout);
    await pruneBuildCache(layout, PRUNE_EVERYTHING);
    expect(await cacheRecords(layout)).toEqual([]);
    const { steps, mounts } = buildCachePaths(layout);
    // Nothing of the dead is left but names that the next build of the step or mount uses.
    expect(readdirSync(join(layout.imagesDir, 'blobs', 'sha256'))).toEqual([]);
    expect(namesIn(layout.ingestDir)).toEqual([]);
    expect(namesIn(layout.leasesDir)).toEqual([]);
    expect(namesIn(steps)).toEqual([]);
    expect(namesIn(mounts)).toEqual([]);
    await using mount = await openCacheMount(layout, {
      id: 'mount 0',
      sharing: 'private',
      initial: null,
      description: '',
    });
    expect(readdirSync(mount.directory)).toEqual([]);
  },
  KILLING_MS,
);
