import { expect, test } from 'vitest';

import { poolName, poolsNamed } from '../../../../src/engine/pool/name.ts';
import { requireImage } from '../../../../src/engine/images.ts';
import { testEngine } from '../fixture/engine.ts';

const ID = `sha256:${'3e54fbf999f5'.padEnd(64, '0')}`;

test('a pool has one name for all that mean the same image name', async () => {
  const engine = testEngine();
  const image = await requireImage(engine, 'a3s/base');
  const called = async (text: string): Promise<string> => poolName(text, await requireImage(engine, text));
  for (const text of [
    'a3s/base',
    'a3s/base:latest',
    'docker.io/a3s/base',
    'index.docker.io/a3s/base:latest',
  ]) {
    expect(await called(text)).toBe('a3s/base:latest');
  }
  const hex = image.id.slice('sha256:'.length);
  for (const text of [image.id, hex, hex.slice(0, 12), `sha256:${hex.slice(0, 12)}`]) {
    expect(await called(text)).toBe(image.id);
  }
  expect(await called(`a3s/base@${image.digest}`)).toBe(`a3s/base@${image.digest}`);
});

test.each([
  ['a3s/base', ['a3s/base:latest']],
  ['docker.io/a3s/base:latest', ['a3s/base:latest']],
  ['a3s/base:1', []],
  [ID, [ID]],
  [ID.slice('sha256:'.length), [ID]],
  ['3e54fbf999f5', [ID]],
  ['sha256:3e5', [ID]],
  // As images are looked up: a name comes before an ID.
  ['3e5', ['3e5:latest']],
  ['4', []],
])('%s means the pools %j', (text, expected) => {
  const names = ['a3s/base:latest', 'a3s/base:2', '3e5:latest', ID];
  expect(poolsNamed(text, names)).toEqual(expected);
});

test('what is no image name is no pool either', () => {
  expect(() => poolsNamed('A/B', [])).toThrow(
    'invalid reference format: repository name (B) must be lowercase',
  );
});
