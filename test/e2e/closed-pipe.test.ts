/** Commands whose reader has gone, as `| head` goes: they end quietly with the status of SIGPIPE, and the box runs on. */
import { beforeAll, expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3sOk, CliProcess } from './fixture/cli.ts';
import { recordOf } from './fixture/records.ts';

const boxes = boxesOf('pipe');
const box = boxes.shared('box');
const COUNT = ['a3s/base', 'sh', '-c', 'n=0; while sleep 0.05; do n=$((n+1)); echo line $n; done'];

beforeAll(() => a3sOk(['run', '-d', '--name', box, ...COUNT]));

/** A command whose stdout is closed once it has printed a line. */
async function cut(words: readonly string[]): Promise<CliProcess> {
  const command = new CliProcess(words);
  await command.says(/\n/);
  command.child.stdout.destroy();
  return command;
}

test('run', async () => {
  const name = boxes.name('run');
  const run = await cut(['run', '--name', name, ...COUNT]);
  expect(await run.ended).toMatchObject({ status: 141, signal: null, err: '' });
  const { pid } = recordOf(name);
  expect(await a3sOk(['exec', name, 'echo', 'on'])).toBe('on');
  expect(recordOf(name)).toMatchObject({ status: 'running', pid });
});

test.each([
  ['logs', '-f', box],
  ['attach', box],
  ['stats', '--format', '{{.Name}}', box],
])('%s', async (...words) => {
  expect(await (await cut(words)).ended).toMatchObject({ status: 141, signal: null, err: '' });
  expect(recordOf(box).status).toBe('running');
});

test('events', async () => {
  const events = await cut(['events', '--since', '10m', '-f', `container=${box}`]);
  await a3sOk(['exec', box, 'true']);
  expect(await events.ended).toMatchObject({ status: 141, signal: null, err: '' });
  expect(recordOf(box).status).toBe('running');
});

test('ps, whose reader went before the first line', async () => {
  const ps = new CliProcess(['ps'], {}, false);
  ps.child.stdout.destroy();
  expect(await ps.ended).toMatchObject({ status: 141, signal: null, err: '' });
});
