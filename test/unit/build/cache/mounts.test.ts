import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

import {
  type CacheMount,
  type CacheMountRequest,
  openCacheMount,
  withCacheMounts,
} from '../../../../src/build/cache/mounts.ts';
import { PRUNE_EVERYTHING, pruneBuildCache } from '../../../../src/build/cache/prune.ts';
import { buildCachePaths } from '../../../../src/state/layout.ts';
import { emptyStore } from './fixture/store.ts';

/** Beyond the largest PID. */
const DEAD = '99999999-1-1';
const never = new AbortController().signal;

function requestOf(sharing: CacheMountRequest['sharing'], id = '/root/.npm'): CacheMountRequest {
  return { id, sharing, initial: null, description: `cached mount ${id}` };
}

async function closed(mount: CacheMount): Promise<string> {
  await mount[Symbol.asyncDispose]();
  return mount.directory;
}

test('a mount is the same directory in every build', async () => {
  const layout = emptyStore();
  const first = await openCacheMount(layout, requestOf('shared'));
  writeFileSync(join(first.directory, 'left'), 'here');
  await closed(first);
  await using second = await openCacheMount(layout, requestOf('locked'));
  expect(readFileSync(join(second.directory, 'left'), 'utf8')).toBe('here');
  await using other = await openCacheMount(layout, requestOf('shared', '/root/.cache'));
  expect(other.directory).not.toBe(second.directory);
});

test('a private mount that is in use gives way to another one, which is used again later', async () => {
  const layout = emptyStore();
  const first = await openCacheMount(layout, requestOf('private'));
  const second = await openCacheMount(layout, requestOf('private'));
  const shared = await openCacheMount(layout, requestOf('shared'));
  expect(new Set([first.directory, second.directory, shared.directory]).size).toBe(3);
  await closed(second);
  await using third = await openCacheMount(layout, requestOf('private'));
  expect(third.directory).toBe(second.directory);
  await closed(first);
  await closed(shared);
});

test('a build that was killed holds nothing', async () => {
  const layout = emptyStore();
  const directory = await closed(await openCacheMount(layout, requestOf('private')));
  writeFileSync(`${directory}.private-${DEAD}`, '');
  await using mount = await openCacheMount(layout, requestOf('private'));
  expect(mount.directory).toBe(directory);
});

test('commands on a locked mount run one after the other, on a shared one together', async () => {
  const layout = emptyStore();
  const running = async (sharing: CacheMountRequest['sharing']): Promise<number> => {
    let now = 0;
    let most = 0;
    const all = Promise.withResolvers<void>();
    const command = async (): Promise<void> => {
      await using mount = await openCacheMount(layout, requestOf(sharing, sharing));
      await withCacheMounts(
        layout,
        [mount, mount],
        async () => {
          now += 1;
          most = Math.max(most, now);
          if (now === 3) all.resolve();
          // Until all are there, or the others have had their chance.
          await (sharing === 'shared' ? all.promise : new Promise((resolve) => setTimeout(resolve, 250)));
          now -= 1;
        },
        never,
      );
    };
    await Promise.all([command(), command(), command()]);
    return most;
  };
  expect(await running('locked')).toBe(1);
  expect(await running('shared')).toBe(3);
});

test('waiting for a locked mount ends with the build', async () => {
  const layout = emptyStore();
  await using mount = await openCacheMount(layout, requestOf('locked'));
  const abort = new AbortController();
  await withCacheMounts(
    layout,
    [mount],
    async () => {
      const waiting = withCacheMounts(layout, [mount], async () => undefined, abort.signal);
      abort.abort(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
    },
    never,
  );
});

test('a mount with a source starts as that source says, once', async () => {
  const layout = emptyStore();
  let fills = 0;
  const request = (digest: string): CacheMountRequest => ({
    ...requestOf('shared'),
    initial: {
      digest,
      fill: async (directory) => {
        fills += 1;
        writeFileSync(join(directory, 'from'), digest);
      },
    },
  });
  const first = await openCacheMount(layout, request('one'));
  writeFileSync(join(first.directory, 'more'), 'x');
  await closed(first);
  await using again = await openCacheMount(layout, request('one'));
  expect(readdirSync(again.directory).toSorted()).toEqual(['from', 'more']);
  await using other = await openCacheMount(layout, request('two'));
  expect(readFileSync(join(other.directory, 'from'), 'utf8')).toBe('two');
  expect(fills).toBe(2);
});

test('a mount that could not be filled is not there', async () => {
  const layout = emptyStore();
  const fill = async (directory: string): Promise<void> => {
    writeFileSync(join(directory, 'half'), '');
    throw new Error('no source');
  };
  const request = { ...requestOf('shared'), initial: { digest: 'd', fill } };
  await expect(openCacheMount(layout, request)).rejects.toThrow('no source');
  expect(readdirSync(buildCachePaths(layout).mounts)).toEqual([]);
});

test('pruning leaves a mount in use, takes one that is not, and what killed builds have left', async () => {
  const layout = emptyStore();
  const used = await openCacheMount(layout, requestOf('shared', 'used'));
  const idle = await closed(await openCacheMount(layout, requestOf('shared', 'idle')));
  mkdirSync(join(idle, 'deep', 'deeper'), { recursive: true });
  mkdirSync(join(dirname(idle), `.new-${DEAD}`));
  const removed = await pruneBuildCache(layout, PRUNE_EVERYTHING);
  expect(removed.map(({ description }) => description)).toEqual(['cached mount idle']);
  await closed(used);
  const [name = ''] = used.directory.split('/').slice(-1);
  expect(readdirSync(buildCachePaths(layout).mounts).toSorted()).toEqual([name, `${name}.json`]);
});
