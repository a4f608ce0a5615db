import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';

import { dispatch } from '../../../src/commands/dispatch.ts';
import { plain } from '../../../src/commands/registry.ts';

/** Runs a command line that must not reach the engine. */
async function call(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const status = await dispatch(argv, {
    env: {},
    stdin: new PassThrough(),
    stdout,
    stderr,
    columns: undefined,
    enableDebug: () => {},
    debug: () => false,
    engine: () => Promise.reject(new Error('the engine was opened')),
  });
  const read = (stream: PassThrough) => String(stream.read() ?? '');
  return { status, stdout: read(stdout), stderr: read(stderr) };
}

const WITHOUT_FLAGS = [
  'completion',
  'diff',
  'logout',
  'pause',
  'port',
  'rename',
  'tag',
  'top',
  'unpause',
  'wait',
];

describe('help', () => {
  test.each([...plain])('of %s says how it is called, on stdout', async (name) => {
    const asked = await call(name, '--help');
    expect(asked).toMatchObject({ status: 0, stderr: '' });
    expect(asked.stdout).toMatch(
      new RegExp(`^Usage:  a3s-box ${name} ${WITHOUT_FLAGS.includes(name) ? '' : '\\[OPTIONS\\]'}`),
    );
    expect(await call('help', name)).toEqual(asked);
  });

  test('of the program lists every command', async () => {
    const { status, stdout, stderr } = await call('--help');
    expect([status, stderr]).toEqual([0, '']);
    for (const name of plain) expect(stdout).toContain(`\n  ${name} `);
    expect(await call('help')).toEqual({ status, stdout, stderr });
    expect(await call()).toEqual({ status: 0, stdout: '', stderr: stdout });
  });

  test('of a group lists its commands', async () => {
    const { stdout } = await call('container', '--help');
    expect(stdout).toMatch(/^Usage: {2}a3s-box container COMMAND\n/);
    expect(stdout).toContain('\n  ls          List boxes\n');
  });

  test('shows every spelling of a command', async () => {
    const { stdout } = await call('ps', '--help');
    expect(stdout).toContain(
      'Aliases:\n  a3s-box container ls, a3s-box container list, a3s-box container ps, a3s-box ps\n',
    );
  });

  test('on an unknown topic fails', async () => {
    expect(await call('help', 'foo')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'unknown help topic: foo\n',
    });
  });
});

describe("command lines that are refused as docker's client refuses them", () => {
  const runUsage = 'Usage:  a3s-box run [OPTIONS] IMAGE [COMMAND] [ARG...]';
  test.each([
    [
      ['run', '--nosuch', 'busybox'],
      125,
      `unknown flag: --nosuch\n\n${runUsage}\n\nRun 'a3s-box run --help' for more information\n`,
    ],
    [
      ['run'],
      1,
      `a3s-box: 'a3s-box run' requires at least 1 argument\n\n${runUsage}\n\nSee 'a3s-box run --help' for more information\n`,
    ],
    [
      ['container', 'run', '-x'],
      125,
      `unknown shorthand flag: 'x' in -x\n\nUsage:  a3s-box container run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'a3s-box container run --help' for more information\n`,
    ],
    [['foo'], 1, `a3s-box: unknown command: a3s-box foo\n\nRun 'a3s-box --help' for more information\n`],
    [
      ['container', 'foo'],
      1,
      `a3s-box: unknown command: a3s-box container foo\n\nUsage:  a3s-box container\n\nRun 'a3s-box container --help' for more information\n`,
    ],
    [
      ['--nosuch'],
      125,
      `unknown flag: --nosuch\n\nUsage:  a3s-box [OPTIONS] COMMAND [ARG...]\n\nRun 'a3s-box --help' for more information\n`,
    ],
    [['swarm', 'x'], 1, "a3s-box: 'a3s-box swarm' is not supported yet\n"],
    [['buildx', 'bake'], 1, "a3s-box: 'a3s-box buildx bake' is not supported yet\n"],
    [
      ['run', '--mac-address', 'x', 'i'],
      125,
      '--mac-address is not supported: a box is alone on its network, which has the same addresses for each\n',
    ],
    [
      ['run', '--pid', 'host', 'i'],
      125,
      '--pid is not supported: a box has a kernel of its own and shares no namespace with the host or with another box\n',
    ],
    [['run', '-it', 'i'], 1, 'the input device is not a TTY\n'],
    [
      ['run', '--env-file', '/nosuch', 'i'],
      125,
      `a3s-box: open /nosuch: no such file or directory\n\nRun 'a3s-box run --help' for more information\n`,
    ],
    [['exec', '--env-file', '/nosuch', 'b', 'c'], 1, 'open /nosuch: no such file or directory\n'],
    [
      ['run', '--pull', 'foo', 'i'],
      125,
      `a3s-box: invalid pull option: 'foo': must be one of "always", "missing" or "never"\n\nRun 'a3s-box run --help' for more information\n`,
    ],
    [
      ['run', '-p', '', 'i'],
      125,
      `a3s-box: no port specified: <empty>\n\nRun 'a3s-box run --help' for more information\n`,
    ],
  ])('%j', async (argv, status, stderr) => {
    expect(await call(...argv)).toEqual({ status, stdout: '', stderr });
  });
});

test('--version', async () => {
  const { status, stdout } = await call('--version');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^a3s-box version \d+\.\d+\.\d+\n$/);
  expect((await call('-v')).stdout).toBe(stdout);
});
