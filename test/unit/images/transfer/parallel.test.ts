import { expect, test } from 'vitest';

import { inParallel } from '../../../../src/images/transfer/parallel.ts';

const items = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const idle = new AbortController().signal;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('all items are worked on in order, so many at a time', async () => {
  const begun: number[] = [];
  let now = 0;
  let most = 0;
  await inParallel(items, 3, idle, async (item) => {
    begun.push(item);
    now += 1;
    most = Math.max(most, now);
    await turn();
    now -= 1;
  });
  expect(begun).toEqual(items);
  expect(most).toBe(3);
});

test('nothing to do is done', async () => {
  await inParallel([], 3, idle, () => Promise.reject(new Error('called')));
});

test('the first failure is told, nothing new is begun, and what is under way ends before', async () => {
  const begun: number[] = [];
  let ended = 0;
  const failing = inParallel(items, 3, idle, async (item, signal) => {
    begun.push(item);
    if (item === 1) throw new Error('one');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    await turn();
    ended += 1;
    throw new Error(`aborted ${item}`);
  });
  await expect(failing).rejects.toThrow('one');
  expect(begun).toEqual([0, 1, 2]);
  expect(ended).toBe(2);
});

test('an abort from outside ends it with its reason', async () => {
  const outside = new AbortController();
  const begun: number[] = [];
  const work = inParallel(items, 2, outside.signal, async (item) => {
    begun.push(item);
    if (item === 3) outside.abort(new Error('enough'));
    await turn();
  });
  await expect(work).rejects.toThrow('enough');
  expect(begun.length).toBeLessThan(items.length);
});
