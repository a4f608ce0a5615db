import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { boxDirectory, boxPaths, type Layout, layoutOf } from '../../../src/state/layout.ts';
import { reconcile } from '../../../src/state/reconcile.ts';
import {
  isWarm,
  makeOffer,
  markWarm,
  mayBeWarm,
  offersFor,
  poolSize,
  unmarkWarm,
  withdrawOffer,
} from '../../../src/state/warm-boxes.ts';
import { temporaryDirectory } from '../../temporary.ts';

const ID = '3e54fbf999f5';
const OTHER_ID = '0123456789ab';

const freshLayout = (): Layout => layoutOf(join(temporaryDirectory(), 'home'));

test('a box is warm as long as the process lives that has marked it', () => {
  const directory = boxDirectory(freshLayout(), ID);
  expect(isWarm(directory)).toBe(false);
  markWarm(directory);
  expect(isWarm(directory)).toBe(true);
  writeFileSync(boxPaths(directory).warmMark, `${process.pid}-1`);
  expect(isWarm(directory)).toBe(false);
  markWarm(directory);
  unmarkWarm(directory);
  expect(isWarm(directory)).toBe(false);
});

test.each(['', 'x', '-', '1', '99999999999999999999-1', '1-2-3'])(
  'a mark that is none says nothing: %j',
  (text) => {
    const directory = boxDirectory(freshLayout(), ID);
    mkdirSync(directory, { recursive: true });
    writeFileSync(boxPaths(directory).warmMark, text);
    expect(isWarm(directory)).toBe(false);
  },
);

test('offers are found by what they are fit for', () => {
  const layout = freshLayout();
  expect(mayBeWarm(layout, {})).toBe(false);
  expect(offersFor(layout, 'a')).toEqual([]);
  makeOffer(layout, { shortId: ID, fitness: 'a' });
  makeOffer(layout, { shortId: OTHER_ID, fitness: 'b' });
  writeFileSync(join(layout.poolDir, 'keeper.sock'), 'a');
  expect(mayBeWarm(layout, {})).toBe(true);
  expect(mayBeWarm(layout, { A3S_BOX_POOL: '0' })).toBe(false);
  expect(offersFor(layout, 'a')).toEqual([ID]);
  expect(offersFor(layout, 'c')).toEqual([]);
  withdrawOffer(layout, ID);
  withdrawOffer(layout, ID);
  expect(offersFor(layout, 'a')).toEqual([]);
});

test.each([
  [undefined, undefined],
  ['', undefined],
  ['0', 0],
  ['12', 12],
  ['-1', undefined],
  ['two', undefined],
])('A3S_BOX_POOL=%s asks for %s boxes', (text, size) => {
  expect(poolSize(text === undefined ? {} : { A3S_BOX_POOL: text })).toBe(size);
});

test('reconciliation leaves a warm box alone and clears one away whose monitor has died', async () => {
  const layout = freshLayout();
  markWarm(boxDirectory(layout, ID));
  const dead = boxDirectory(layout, OTHER_ID);
  mkdirSync(dead, { recursive: true });
  writeFileSync(boxPaths(dead).warmMark, `${process.pid}-1`);
  makeOffer(layout, { shortId: ID, fitness: 'a' });
  makeOffer(layout, { shortId: OTHER_ID, fitness: 'a' });
  expect(await reconcile(layout)).toEqual([]);
  expect(readdirSync(layout.boxesDir)).toEqual([ID]);
  expect(readdirSync(layout.poolDir)).toEqual([ID]);
  expect(existsSync(layout.boxesFile)).toBe(false);
});
