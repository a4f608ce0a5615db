import { expect, test } from 'vitest';

import { CloneError, explainClone } from '../../../src/runtime/vm.ts';
import { A3sError } from '../../../src/errors.ts';

const dir = '/home/templates/image-ab';
const template = { dir, memory: `${dir}/memory`, state: `${dir}/state`, scratch: null, seal: '' };
const clone = {
  scratch: '/box/scratch.qcow2',
  scratchKept: false,
  found: { template, accelerator: 'tcg' },
  accepted: false,
  died: true,
} as const;
const noAnswer = new A3sError('boot_failed', 'no answer', { stage: 'agent' });

const blame = (stderr: string, changes: object = {}, signal: NodeJS.Signals | null = null) => {
  const error = explainClone(noAnswer, { signal, stderr }, { ...clone, ...changes });
  return { code: error.code, template: error instanceof CloneError ? error.template : null };
};

test.each([
  ['nothing at all', ''],
  ['warnings only', "qemu-system-x86_64: warning: TCG doesn't support requested feature\n"],
  [
    'the fresh copy of its disk',
    'qemu: -blockdev driver=qcow2,node-name=scratch: Image is not in qcow2 format\n',
  ],
])('the template is to blame when QEMU has complained of %s', (_what, stderr) => {
  expect(blame(stderr)).toEqual({ code: 'boot_failed', template: 'unsound' });
});

test.each([
  ['does not fit', 'qemu: Missing section footer for x\nqemu: load of migration failed: Invalid argument\n'],
  ['does not go with its memory', 'qemu: VQ 2 size 0x400 Guest index 0x0 inconsistent with Host index 0xa\n'],
])('the template is to blame when QEMU says, before any answer, that the state %s', (_what, stderr) => {
  expect(blame(stderr)).toEqual({ code: 'boot_failed', template: 'unsound' });
});

test('the template is to blame for a state that QEMU complains of while it is killed', () => {
  const stderr = 'qemu: VQ 2 size 0x400 Guest index 0x0 inconsistent with Host index 0xb: delta 0xfff5\n';
  expect(blame(stderr, {}, 'SIGKILL')).toEqual({ code: 'boot_failed', template: 'unsound' });
});

test('the template is to blame when the guest does not answer, and we end its QEMU', () => {
  expect(blame('', { accepted: true, died: false }, 'SIGKILL')).toEqual({
    code: 'boot_failed',
    template: 'unsound',
  });
});

test.each([
  ['refused an address', "qemu: -netdev user: Invalid host forwarding rule 'tcp:999.1.1.1:1-:1'\n"],
  ['refused a share', 'qemu: -fsdev local: cannot open /secret: Permission denied\n'],
  ['had no memory', `qemu: -object memory-backend-file,mem-path=${dir}/memory: Cannot allocate memory\n`],
])('the template stays when QEMU %s', (_what, stderr) => {
  expect(blame(stderr)).toEqual({ code: 'boot_failed', template: null });
});

test('the template stays when somebody else has killed QEMU', () => {
  expect(blame('', {}, 'SIGKILL')).toEqual({ code: 'boot_failed', template: null });
});

test('a template that went away meanwhile is looked for again', () => {
  const stderr = `qemu: can't open backing store ${dir}/memory for guest RAM: No such file or directory\n`;
  expect(blame(stderr)).toEqual({ code: 'boot_failed', template: 'gone' });
});

test("the disk with the box's own writes is the box's", () => {
  const stderr = 'qemu: -blockdev driver=qcow2,node-name=scratch: Image is not in qcow2 format\n';
  expect(blame(stderr, { scratchKept: true })).toEqual({ code: 'state_corrupt', template: null });
});
