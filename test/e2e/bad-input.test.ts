/** Bad values at the command line itself: exactly what is printed, and the status. The unit tests have every flag. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../temporary.ts';
import { a3s } from './fixture/cli.ts';

const USAGE: Readonly<Record<string, string>> = {
  run: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  create: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  exec: '[OPTIONS] BOX COMMAND [ARG...]',
  ps: '[OPTIONS]',
  stop: '[OPTIONS] BOX [BOX...]',
  'volume create': '[OPTIONS] [VOLUME]',
};
const more = (words: string): string => `\n\nRun 'a3s-box ${words} --help' for more information\n`;
/** What the parser refuses. */
const parser = (words: string, line: string): string =>
  `${line}\n\nUsage:  a3s-box ${words} ${USAGE[words] ?? ''}${more(words)}`;
/** What run and create refuse. */
const maker = (words: string, line: string): string => `a3s-box: ${line}${more(words)}`;

const X300 = `${'x'.repeat(199)}…${'x'.repeat(100)}`;

test.each<[words: string, flag: string, line: string]>([
  [
    'run',
    '--memory=12parsecs',
    `invalid argument "12parsecs" for "-m, --memory" flag: invalid suffix: 'parsecs'`,
  ],
  ['run', '--memory=', `invalid argument "" for "-m, --memory" flag: invalid size: ''`],
  ['run', '--cpus=-', 'invalid argument "-" for "--cpus" flag: failed to parse - as a rational number'],
  [
    'run',
    '--rm=maybe',
    'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [
    'run',
    '--stop-timeout=99999999999999999999',
    'invalid argument "99999999999999999999" for "--stop-timeout" flag: strconv.ParseInt: parsing "99999999999999999999": value out of range',
  ],
  [
    'run',
    '--health-interval=5',
    'invalid argument "5" for "--health-interval" flag: time: missing unit in duration "5"',
  ],
  [
    'run',
    '--label=a b=c',
    `invalid argument "a b=c" for "-l, --label" flag: label 'a b' contains whitespaces`,
  ],
  ['run', '--env==x', 'invalid argument "=x" for "-e, --env" flag: invalid environment variable: =x'],
  ['run', '--dns=ü', 'invalid argument "ü" for "--dns" flag: IP address is not correctly formatted: ü'],
  [
    'run',
    '--ulimit=nofile',
    'invalid argument "nofile" for "--ulimit" flag: invalid ulimit argument: nofile',
  ],
  ['run', '--mount=type=bind', 'invalid argument "type=bind" for "--mount" flag: target is required'],
  ['run', '--sysctl=x', `invalid argument "x" for "--sysctl" flag: sysctl 'x' is not allowed`],
  [
    'run',
    '--cpus=\u001b[2J\n',
    'invalid argument "\\x1b[2J\\n" for "--cpus" flag: failed to parse \\x1b[2J\\n as a rational number',
  ],
  [
    'run',
    `--shm-size=${'x'.repeat(100_000)}`,
    `invalid argument "${X300}" for "--shm-size" flag: invalid size: '${'x'.repeat(184)}…${'x'.repeat(99)}'`,
  ],
  [
    'create',
    '--attach=all',
    'invalid argument "all" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR',
  ],
  [
    'exec',
    '--timeout=1s',
    'invalid argument "1s" for "--timeout" flag: strconv.ParseInt: parsing "1s": invalid syntax',
  ],
  [
    'ps',
    '--filter=x',
    'invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)',
  ],
  [
    'ps',
    '--last=',
    'invalid argument "" for "-n, --last" flag: strconv.ParseInt: parsing "": invalid syntax',
  ],
  [
    'stop',
    '--timeout=soon',
    'invalid argument "soon" for "-t, --timeout" flag: strconv.ParseInt: parsing "soon": invalid syntax',
  ],
  ['volume create', '--label=', `invalid argument "" for "--label" flag: invalid label '': empty name`],
])('%s: the parser refuses %s', async (words, flag, line) => {
  const { status, out, err } = await a3s([...words.split(' '), flag, 'a3s/base', 'true']);
  expect({ status, out, err }).toEqual({ status: 125, out: '', err: parser(words, line) });
});

describe('what a command refuses', () => {
  test.each<[argv: string[], line: string]>([
    [['--network', '', 'a3s/base'], 'no name set for network'],
    [['--volume', '', 'a3s/base'], 'invalid empty volume spec'],
    [['--publish', '80:70000', 'a3s/base'], 'invalid containerPort: 70000'],
    [
      ['--expose', '80-70', 'a3s/base'],
      'invalid range format for --expose: 80-70, error: invalid range specified for port: 80-70',
    ],
    [['--security-opt', 'no-new-privilegesx', 'a3s/base'], 'Invalid --security-opt: "no-new-privilegesx"'],
    [['--restart', ':1', 'a3s/base'], 'invalid restart policy format: no policy provided before colon'],
    [['--env-file', '/nosuch', 'a3s/base'], 'open /nosuch: no such file or directory'],
    [
      ['--memory', '1', 'a3s/base', 'true'],
      'Error response from daemon: Minimum memory limit allowed is 64MB',
    ],
    [
      ['--name', 'ünï', 'a3s/base', 'true'],
      'Error response from daemon: Invalid container name (ünï), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed',
    ],
    [['A'], 'invalid reference format: repository name (library/A) must be lowercase'],
  ])('run %j', async (argv, line) => {
    const { status, out, err } = await a3s(['run', ...argv]);
    expect({ status, out, err }).toEqual({ status: 125, out: '', err: maker('run', line) });
  });

  test.each<[argv: string[], status: number, err: string]>([
    [
      ['create', '--pull', 'x', 'i'],
      125,
      maker('create', `invalid pull option: 'x': must be one of "always", "missing" or "never"`),
    ],
    [
      ['create', '--memory', '1', 'a3s/base', 'true'],
      1,
      'Error response from daemon: Minimum memory limit allowed is 64MB\n',
    ],
    [
      ['create', '--pull', 'never', 'absent'],
      1,
      'Error response from daemon: No such image: absent:latest\nHint: `a3s-box images` lists what is there, `a3s-box pull` brings more\n',
    ],
    [['exec', '--timeout', '-1', 'absent', 'true'], 1, '--timeout cannot be negative\n'],
    [['kill', '-s', 'NOPE', 'absent'], 1, 'Error response from daemon: invalid signal: NOPE\n'],
    [['events', '--since', '12parsecs'], 1, 'failed to parse value as time or duration: "12parsecs"\n'],
    [['inspect', '--type', '', 'x'], 1, 'type is empty: must be one of "container", "image", "volume"\n'],
    [['login', '--username', '', 'localhost:1'], 1, 'username is empty\n'],
    [['load', '-i', 'x'.repeat(5000)], 1, `open ${'x'.repeat(677)}…${'x'.repeat(321)}: file name too long\n`],
    [['rm', 'a\nb\u001b[2J'], 1, 'Error response from daemon: No such container: a\\nb\\x1b[2J\n'],
  ])('%j', async (argv, expected, stderr) => {
    const { status, out, err } = await a3s(argv);
    expect({ status, out, err }).toEqual({ status: expected, out: '', err: stderr });
  });
});

test('an environment file is for the box, not for a3s-box itself', async () => {
  const file = join(temporaryDirectory(), 'env');
  writeFileSync(file, 'A3S_HOME=/nosuch\n');
  const { status, out, err } = await a3s(['run', '--env-file', file, '--pull', 'never', 'absent']);
  expect({ status, out, err }).toEqual({
    status: 125,
    out: '',
    err: maker(
      'run',
      'Error response from daemon: No such image: absent:latest\nHint: `a3s-box images` lists what is there, `a3s-box pull` brings more',
    ),
  });
});
