/** `commit` of boxes that run, with and without a pause, and of those that do not. */
import { afterEach, expect, test } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('commit');
const IMAGE = 'commit-made:1';
const OTHER = 'commit-made:2';
/** Two numbers that are never more than one apart, and between their files one that takes a while to read. */
const pair = (bytes: number): string =>
  `head -c ${bytes} /dev/urandom >/m; i=0; while :; do i=$((i+1)); echo $i >/n; mv /n /a; echo $i >/n; mv /n /z; done`;

afterEach(async () => {
  await a3s(['rmi', '-f', IMAGE, OTHER]);
});

async function numbers(words: readonly string[]): Promise<[number, number]> {
  const [a = 0, z = 0] = (await a3sOk([...words, 'cat', '/a', '/z'])).split('\n').map(Number);
  return [a, z];
}

const writing = async (label: string, bytes: number): Promise<string> => {
  const box = await boxes.detached(label, ['a3s/base', 'sh', '-c', pair(bytes)]);
  await until('the first pair', async () => (await a3s(['exec', box, 'test', '-e', '/z'])).status === 0);
  return box;
};

test.each([[[]], [['--pause']]])('with %j a box stands still meanwhile, and goes on', async (flags) => {
  const box = await writing('still', 2_000_000);
  const id = await a3sOk(['commit', ...flags, box, IMAGE]);
  expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
  const [a, z] = await numbers(['run', '--rm', IMAGE]);
  expect([a, a - 1]).toContain(z);
  const [before] = await numbers(['exec', box]);
  await until('the box to go on', async () => (await numbers(['exec', box]))[0] > before);
  expect(await a3sOk(['ps', '--filter', `name=${box}`, '--format', '{{.State}}'])).toBe('running');
});

test('--pause=false lets it go on meanwhile', async () => {
  const box = await writing('moving', 20_000_000);
  await a3sOk(['commit', '--pause=false', box, IMAGE]);
  const [a, z] = await numbers(['run', '--rm', IMAGE]);
  expect(Math.abs(a - z)).toBeGreaterThan(1);
});

test('a box that has ended, and one that never ran', async () => {
  const ended = boxes.name('ended');
  await a3sOk(['run', '--name', ended, 'a3s/base', 'sh', '-c', 'echo kept >/kept']);
  const id = await a3sOk(['commit', ended, IMAGE]);
  expect(await a3sOk(['run', '--rm', '--entrypoint', 'cat', IMAGE, '/kept'])).toBe('kept');
  expect(await a3sOk(['image', 'inspect', '-f', '{{.Id}} {{len .RootFS.Layers}}', IMAGE])).toBe(`${id} 2`);
  expect(await a3sOk(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', ended])).toBe('exited 0');
  const created = boxes.name('created');
  await a3sOk(['create', '--name', created, 'a3s/base', 'cat', '/etc/passwd']);
  await a3sOk(['commit', created, OTHER]);
  expect(await a3sOk(['run', '--rm', OTHER])).toMatch(/^root:/);
  expect(await a3sOk(['inspect', '-f', '{{.State.Status}}', created])).toBe('created');
});
