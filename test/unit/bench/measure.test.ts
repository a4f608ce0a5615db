import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { plainEnvironment } from '../../../bench/environment.ts';
import { compare, expects, time, timeMany, type Contender } from '../../../bench/measure.ts';
import { inTurn } from '../../../bench/turns.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync('/tmp/a3s-bench-test-');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Writes its name, a line, where all of them do. */
function writer(name: string): Contender {
  return { name, command: ['sh', '-c', `echo ${name} >> "$0"`, join(dir, 'order')] };
}

const order = (): string[] => readFileSync(join(dir, 'order'), 'utf8').trim().split('\n');

test('contenders run in turn, every other round backwards, and the warm-up does not count', async () => {
  const { times, ratios } = await compare([writer('a'), writer('b')], 3);
  expect(order()).toEqual(['b', 'a', 'a', 'b', 'b', 'a', 'a', 'b']);
  expect(times.map(({ count }) => count)).toEqual([3, 3]);
  expect(ratios[1]).toBe(1);
});

test('figures are kept by contender and round', async () => {
  const figures = await inTurn(2, 3, 2, (contender, round) => Promise.resolve(contender * 10 + round));
  expect(figures).toEqual([
    [0, 1, 2],
    [10, 11, 12],
  ]);
});

test('a ratio is the median of the ratios of the rounds', async () => {
  const sleeper = { name: 'sleeper', command: ['sleep', '0.2'] };
  const { times, ratios } = await compare([sleeper, { name: 'true', command: ['true'] }], 1, 0);
  const [slow, fast] = times;
  expect(slow?.best).toBeGreaterThanOrEqual(200);
  expect(ratios[0]).toBe((slow?.median ?? 0) / (fast?.median ?? 0));
});

test('a command that fails is no result', async () => {
  const failing = { name: 'failing', command: ['sh', '-c', 'echo why >&2; exit 3'] };
  await expect(time(failing)).rejects.toThrow('failing failed with status 3: why\n');
  await expect(compare([writer('a'), failing], 1)).rejects.toThrow('failing failed with status 3');
  await expect(timeMany(failing, 4, 2)).rejects.toThrow('failing failed with status 3: why\n');
});

test('a command that is killed is no result', async () => {
  const killed = { name: 'killed', command: ['sh', '-c', 'kill -9 $$'] };
  await expect(time(killed)).rejects.toThrow('killed failed with status null');
});

test('a command that is not there is no result', async () => {
  await expect(time({ name: 'none', command: [join(dir, 'none')] })).rejects.toThrow('ENOENT');
});

test('a command that says something else is no result', async () => {
  const saying = { name: 'saying', command: ['echo', 'off'], after: expects('on\n') };
  await expect(time(saying)).rejects.toThrow('said "off\\n", not "on\\n"');
  await expect(timeMany(saying, 2, 1)).rejects.toThrow('said "off\\n", not "on\\n"');
  await expect(time({ ...saying, after: expects(/^o..\n$/) })).resolves.toBeGreaterThan(0);
  await expect(time({ ...saying, after: expects(/^on$/) })).rejects.toThrow('said "off\\n", not /^on$/');
});

test('what is done before and after does not count', async () => {
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));
  const began = performance.now();
  const ms = await time({ name: 'true', command: ['true'], before: pause, after: pause });
  expect(performance.now() - began).toBeGreaterThanOrEqual(ms + 590);
});

test('input is read from a file, and output written to one', async () => {
  const [from, to] = [join(dir, 'from'), join(dir, 'to')];
  writeFileSync(from, 'bytes');
  await time({ name: 'cat', command: ['cat'], stdin: from, stdout: to });
  expect(readFileSync(to, 'utf8')).toBe('bytes');
});

test('many run as many at a time as was said', async () => {
  const tally = join(dir, 'tally');
  // Each waits until three have begun.
  const script =
    'echo + >>"$0"; until [ $(grep -c + "$0") -ge 3 ]; do sleep 0.05; done; sleep 0.2; echo - >>"$0"';
  await timeMany({ name: 'many', command: ['sh', '-c', script, tally] }, 6, 3);
  const signs = readFileSync(tally, 'utf8').trim().split('\n');
  let running = 0;
  const most = Math.max(...signs.map((sign) => (running += sign === '+' ? 1 : -1)));
  expect({ most, count: signs.length, running }).toEqual({ most: 3, count: 12, running: 0 });
});

test("what the caller's environment says about the product and Node does not reach a command", () => {
  const caller = { PATH: '/bin', HOME: '/root', A3S_BOX_POOL: '2', A3S_DEBUG: '1', NODE_OPTIONS: '--x' };
  expect(plainEnvironment(caller)).toEqual({ PATH: '/bin', HOME: '/root' });
});

test('a command has the variables of its own in place of the caller', async () => {
  process.env['A3S_BOX_POOL'] = '2';
  try {
    const script = 'echo "${A3S_BOX_POOL-none} $A3S_HOME"';
    const said = { name: 'env', command: ['sh', '-c', script], env: { A3S_HOME: '/h' } };
    await time({ ...said, after: expects('none /h\n') });
    await timeMany({ ...said, after: expects('none /h\n') }, 1, 1);
  } finally {
    delete process.env['A3S_BOX_POOL'];
  }
  expect(existsSync(join(dir, 'order'))).toBe(false);
});
