import { expect, onTestFinished, test } from 'vitest';

import { startEarly, takeEarly, type EarlyVm } from '../../../src/runtime/monitor/early-vm.ts';

/** Stands for QEMU: takes no commands, and does not end by itself. */
const spawn = { binary: '/bin/sleep', args: ['60'], stateFile: '/dev/null' };
const request = (clone: unknown) => Buffer.from(JSON.stringify({ op: 'launch', clone }));

function started(): EarlyVm {
  const early = startEarly(request(spawn), () => 1000);
  if (early === null) throw new Error('not started');
  onTestFinished(async () => void (await early.qemu.kill()));
  return early;
}

test('the VM that the box needs is taken as it is', async () => {
  const early = started();
  expect(await takeEarly(early, { ...spawn, args: ['60'] })).toBe(early);
  expect(process.kill(early.qemu.pid, 0)).toBe(true);
});

test.each([
  ['other arguments', { args: ['61'] }],
  ['more arguments', { args: ['60', '1'] }],
  ['another program', { binary: '/bin/true' }],
  ['another state', { stateFile: '/dev/zero' }],
])('a VM that is not the one is gone before another is started: %s', async (_what, changes) => {
  const early = started();
  expect(await takeEarly(early, { ...spawn, ...changes })).toBeNull();
  expect(() => process.kill(early.qemu.pid, 0)).toThrow(expect.objectContaining({ code: 'ESRCH' }));
});

test.each([
  ['no plan', null],
  ['no list of arguments', { ...spawn, args: '60' }],
  ['an argument that is no text', { ...spawn, args: [60] }],
  ['no state', { ...spawn, stateFile: undefined }],
  ['a state that is not there', { ...spawn, stateFile: '/nonexistent' }],
  ['a program that is not there', { ...spawn, binary: '/nonexistent' }],
])('nothing is started for a request with %s', (_what, clone) => {
  expect(startEarly(request(clone), () => 1000)).toBeNull();
});

test('nothing is started for a request that is no JSON', () => {
  expect(startEarly(Buffer.from('{'), () => 1000)).toBeNull();
});
