/** Names, references and paths that are none, for every command that takes one. Starts no VM. */
import { beforeEach, describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../../temporary.ts';
import { addBoxes, testEngine, type TestEngine } from '../engine/fixture/engine.ts';
import { call } from './bad-input/calls.ts';

const LONG = 'x'.repeat(100_000);
/** What a line of failure shows of it, behind and before so many characters of the line. */
const shown = (before: string, after = ''): string => {
  const room = 1023 - before.length - after.length;
  const head = 682 - before.length;
  return `${before}${'x'.repeat(head)}…${'x'.repeat(room - head)}${after}`;
};

let engine: TestEngine;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  engine = testEngine();
  await addBoxes(engine, { status: 'stopped' });
  env = { HOME: temporaryDirectory() };
});

const run = (...argv: string[]) => call(argv, engine, env);

describe('a box that cannot be', () => {
  const ENGINE = 'Error response from daemon: No such container: ';
  const SUMMARY = 'Error: failed to start containers: ';
  const commands: readonly (readonly [words: string, ...rest: string[]])[] = [
    ...'attach diff export kill logs pause port restart rm start stop top unpause wait'
      .split(' ')
      .map((words) => [words] as const),
    ['container inspect'],
    ['exec', 'true'],
    ['stats'],
    ['update'],
  ];
  test.each(commands)('%s', async (words, ...rest) => {
    const flags = words === 'stats' ? ['--no-stream'] : words === 'update' ? ['--cpus=1'] : [];
    const stdout = words === 'container inspect' ? '[]\n' : '';
    for (const [name, line] of [
      ['', ENGINE],
      ['-1', `${ENGINE}-1`],
      ['ünïcödé ☃', `${ENGINE}ünïcödé ☃`],
      ['a\nb\u001b[2J\u202e', `${ENGINE}a\\nb\\x1b[2J\\u202e`],
      [LONG, shown(ENGINE)],
    ] as const) {
      const answer = await run(...words.split(' '), ...flags, '--', name, ...rest);
      const summary = name === LONG ? shown(SUMMARY) : line.replace(ENGINE, SUMMARY);
      const stderr = words === 'start' ? `${line}\n${summary}\n` : `${line}\n`;
      expect(answer, name.slice(0, 20)).toEqual({ status: 1, stdout, stderr });
    }
  });
});

describe('an image reference', () => {
  const more = (words: string) => `\nRun 'a3s-box ${words} --help' for more information\n`;
  const BAD = ['', ' ', '-1', 'a:', 'a:b:c', 'a@b', 'ü', 'a\nb', `${LONG}:`];
  test.each(['run', 'create'])('%s', async (words) => {
    for (const reference of BAD) {
      expect(await run(words, '--', reference), reference.slice(0, 20)).toEqual({
        status: 125,
        stdout: '',
        stderr: `a3s-box: invalid reference format\n${more(words)}`,
      });
    }
    expect((await run(words, 'a/B')).stderr).toBe(
      `a3s-box: invalid reference format: repository name (a/B) must be lowercase\n${more(words)}`,
    );
  });

  test.each(['pull', 'push', 'history', 'save', 'rmi', 'image inspect', 'commit absent', 'import -'])(
    '%s',
    async (words) => {
      for (const reference of BAD.slice(words.startsWith('import') ? 1 : 0)) {
        const { status, stderr } = await run(...words.split(' '), '--', reference);
        expect([status, stderr], reference.slice(0, 20)).toEqual([1, 'invalid reference format\n']);
      }
    },
  );

  test('tag names which', async () => {
    for (const [target, text] of [
      ['', '""'],
      ['a\nb', '"a\\nb"'],
    ] as const) {
      expect(await run('tag', 'a3s/base', target)).toEqual({
        status: 1,
        stdout: '',
        stderr: `Error parsing reference: ${text} is not a valid repository/tag: invalid reference format\n`,
      });
    }
  });

  test('images takes a pattern of any length', async () => {
    const { status, stdout } = await run('images', '--quiet', LONG);
    expect([status, stdout]).toEqual([0, '']);
  });
});

test.each([
  [['rename', 'box1', ''], 'Error: Neither old nor new names may be empty\n'],
  [['completion', 'a\nb'], 'unknown shell: "a\\nb": must be one of "bash", "fish", "zsh"\n'],
  [['cp', '', 'box1:/'], 'source can not be empty\n'],
  [['cp', 'box1:/', ''], 'destination can not be empty\n'],
  [['cp', '-', '-'], 'must specify at least one container source\n'],
  [['cp', 'a:b', 'c:d'], 'copying between containers is not supported\n'],
  [['cp', '/nosuch\u001b[2J', 'box1:/'], 'lstat /nosuch\\x1b[2J: no such file or directory\n'],
  [['cp', `/${LONG}`, 'box1:/'], `${shown('lstat /', ': file name too long')}\n`],
  [['load', '-i', LONG], `${shown('open ', ': file name too long')}\n`],
  [['import', LONG], `${shown('open ', ': file name too long')}\n`],
  [['help', '\u001b[2J'], 'unknown help topic: \\x1b[2J\n'],
  [
    ['\u001b[2J'],
    "a3s-box: unknown command: a3s-box \\x1b[2J\n\nRun 'a3s-box --help' for more information\n",
  ],
  [
    ['volume', 'create', LONG],
    `${shown('Error response from daemon: create ', ': volume name is too long, 240 characters at most')}\n`,
  ],
  [['volume', 'rm', 'a\nb'], 'Error response from daemon: get a\\nb: no such volume\n'],
])('%j', async (argv, stderr) => {
  expect(await run(...argv)).toEqual({ status: 1, stdout: '', stderr });
});

test('a name that is too long, and one that holds what a name cannot', async () => {
  const long = 'x'.repeat(241);
  expect(await run('create', '--name', long, 'a3s/base')).toEqual({
    status: 1,
    stdout: '',
    stderr: `Error response from daemon: Invalid container name (${long}), it has more than 240 characters\n`,
  });
  expect((await run('create', '--name', long.slice(1), 'a3s/base')).status).toBe(0);
  expect(await run('create', '--name', 'a\nb', 'a3s/base')).toEqual({
    status: 1,
    stdout: '',
    stderr:
      'Error response from daemon: Invalid container name (a\\nb), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed\n',
  });
});
