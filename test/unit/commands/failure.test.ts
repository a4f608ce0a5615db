import { describe, expect, test } from 'vitest';

import { renderCountError, renderFailure, renderFlagError, statusOf } from '../../../src/commands/failure.ts';
import { A3sError } from '../../../src/errors.ts';

describe('a failure that ends the command', () => {
  const missing = new A3sError('no_such_box', 'No such container: nosuch');

  test("has docker's prefix where docker's engine would say it", () => {
    expect(renderFailure(missing, 'rm', false)).toBe(
      'Error response from daemon: No such container: nosuch\n',
    );
  });

  test('of run names the program and points at its help', () => {
    const error = new A3sError('no_such_image', 'No such image: nosuchimg:1');
    expect(renderFailure(error, 'run', true)).toBe(
      `a3s-box: Error response from daemon: No such image: nosuchimg:1

Run 'a3s-box run --help' for more information
`,
    );
  });

  test('that lies with the host or the command line has no prefix, and its hint a line of its own', () => {
    const error = new A3sError('host_setup', 'qemu-system-x86_64 is missing', {
      hint: 'apt-get install qemu-system-x86',
    });
    expect(renderFailure(error, 'run', true)).toBe(
      `a3s-box: qemu-system-x86_64 is missing
Hint: apt-get install qemu-system-x86

Run 'a3s-box run --help' for more information
`,
    );
    expect(renderFailure(new A3sError('usage', 'open /x: no such file'), 'exec', false)).toBe(
      'open /x: no such file\n',
    );
  });

  test('of a boot names the stage', () => {
    const error = new A3sError('boot_failed', 'the guest did not answer within 30 s', { stage: 'agent' });
    expect(renderFailure(error, 'start', false)).toBe('the guest did not answer within 30 s (agent)\n');
  });

  test("has its own exit status, else the command's", () => {
    expect(statusOf(new A3sError('start_failed', '', { exitStatus: 127 }), 125)).toBe(127);
    expect(statusOf(missing, 125)).toBe(125);
    expect(statusOf(missing, 1)).toBe(1);
  });
});

test('a bad flag comes with the usage line', () => {
  const error = new A3sError('usage', 'unknown flag: --nosuch');
  const usage = 'Usage:  a3s-box run [OPTIONS] IMAGE [COMMAND] [ARG...]';
  expect(renderFlagError(error, usage, 'run')).toBe(
    `unknown flag: --nosuch

Usage:  a3s-box run [OPTIONS] IMAGE [COMMAND] [ARG...]

Run 'a3s-box run --help' for more information
`,
  );
});

describe('a wrong number of operands', () => {
  const render = (count: number, min: number, max?: number) =>
    renderCountError(count, max === undefined ? { min } : { min, max }, 'Usage:  a3s-box x', 'x');

  test.each([
    [0, 1, undefined, "'a3s-box x' requires at least 1 argument", 'See'],
    [1, 2, undefined, "'a3s-box x' requires at least 2 arguments", 'See'],
    [2, 1, 1, "'a3s-box x' requires 1 argument", 'Run'],
    [2, 0, 1, "'a3s-box x' requires at most 1 argument", 'Run'],
    [1, 0, 0, "'a3s-box x' accepts no arguments", 'Run'],
  ])('%i for %i to %s', (count, min, max, line, verb) => {
    expect(render(count, min, max)).toBe(
      `a3s-box: ${line}\n\nUsage:  a3s-box x\n\n${verb} 'a3s-box x --help' for more information\n`,
    );
  });

  test('a right one is no error', () => {
    expect(render(3, 1)).toBeUndefined();
    expect(render(0, 0, 0)).toBeUndefined();
  });
});
