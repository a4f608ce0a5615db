/** `login`, `logout` and `search` as they are called, with real registries. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { dispatch } from '../../../src/commands/dispatch.ts';
import { startRegistry, type TestRegistry } from '../../fixture/registry/docker-registry.ts';
import { startFaultProxy } from '../../fixture/registry/fault-proxy.ts';
import { temporaryDirectory } from '../../temporary.ts';

const AUTH = Buffer.from('ann:secret').toString('base64');
let server: TestRegistry;

beforeAll(async () => {
  server = await startRegistry({ users: { ann: 'secret' } });
});
afterAll(() => server.close());

interface Terminal {
  /** What is typed, once all that comes before it has been asked. */
  typed: readonly [question: string, line: string][];
}

/** Runs a command line with a `config.json` of its own. */
function caller(config: object = {}, env: NodeJS.ProcessEnv = {}) {
  const dir = temporaryDirectory();
  const file = join(dir, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const call = async (argv: string[], input: string | Terminal = '') => {
    const stdin = Object.assign(new PassThrough(), { isTTY: typeof input === 'object' });
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const said = { stdout: '', stderr: '' };
    const typed = typeof input === 'object' ? [...input.typed] : [];
    stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    stdout.on('data', (chunk: Buffer) => {
      said.stdout += chunk.toString();
      const next = typed[0];
      if (next === undefined || !said.stdout.endsWith(next[0])) return;
      typed.shift();
      // The question is written before its answer is listened for.
      setImmediate(() => stdin.write(next[1]));
    });
    if (typeof input === 'string') stdin.end(input);
    const status = await dispatch(argv, {
      env: { DOCKER_CONFIG: dir, ...env },
      stdin,
      stdout,
      stderr,
      columns: undefined,
      enableDebug: () => {},
      debug: () => false,
      engine: () => Promise.reject(new Error('the engine was opened')),
    });
    return { status, ...said };
  };
  return { call, file, config: () => JSON.parse(readFileSync(file, 'utf8')) as unknown };
}

const warning = (file: string): string => `
WARNING! Your credentials are stored unencrypted in '${file}'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/

`;

describe('login', () => {
  test('takes the password from stdin, proves it and keeps it', async () => {
    const { call, file, config } = caller({ psFormat: 'x' });
    expect(await call(['login', '-u', 'ann', '--password-stdin', server.domain], 'secret\n')).toEqual({
      status: 0,
      stdout: 'Login Succeeded\n',
      stderr: warning(file),
    });
    expect(config()).toEqual({ psFormat: 'x', auths: { [server.domain]: { auth: AUTH } } });
  });

  test('warns of a password among its arguments, and takes an address as well', async () => {
    const { call, file, config } = caller();
    expect(await call(['login', '-u', 'ann', '-p', 'secret', `http://${server.domain}/v2/`])).toEqual({
      status: 0,
      stdout: 'Login Succeeded\n',
      stderr: `WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n${warning(file)}`,
    });
    expect(config()).toEqual({ auths: { [server.domain]: { auth: AUTH } } });
  });

  test('asks at a terminal and does not show the password', async () => {
    const { call, file, config } = caller();
    const typed: Terminal = {
      typed: [
        ['Username: ', 'ann\r'],
        ['Password: ', 'secret\r'],
      ],
    };
    const { status, stdout, stderr } = await call(['login', server.domain], typed);
    expect({ status, stderr }).toEqual({ status: 0, stderr: warning(file) });
    expect(stdout).toMatch(/^Username: [^]*Password: \nLogin Succeeded\n$/);
    expect(stdout).not.toContain('secret');
    expect(config()).toEqual({ auths: { [server.domain]: { auth: AUTH } } });
  });

  test('ends with 130 when the person gives up', async () => {
    const { call, config } = caller();
    const ended = await call(['login', server.domain], { typed: [['Username: ', '\u0003']] });
    expect(ended).toMatchObject({ status: 130, stderr: 'nothing was entered\n' });
    expect(config()).toEqual({});
  });

  test('tries what is kept first', async () => {
    const { call } = caller({ auths: { [server.domain]: { auth: AUTH } } });
    const { status, stdout, stderr } = await call(['login', server.domain]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'Login Succeeded\n' });
    expect(stderr).toContain('Authenticating with existing credentials... [Username: ann]\n');
  });

  test('refuses a wrong password and keeps nothing', async () => {
    const { call, config } = caller();
    expect(await call(['login', '-u', 'ann', '--password-stdin', server.domain], 'wrong')).toEqual({
      status: 1,
      stdout: '',
      stderr: `Error response from daemon: login attempt to http://${server.domain}/v2/ failed with status: 401 Unauthorized\n`,
    });
    expect(config()).toEqual({});
  });

  test('says what Docker says when nobody listens', async () => {
    const { call } = caller();
    expect(await call(['login', '-u', 'u', '--password-stdin', '127.0.0.1:1'], 'pw\n')).toEqual({
      status: 1,
      stdout: '',
      stderr:
        'Error response from daemon: Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused\n',
    });
  });

  test.for([
    [
      ['-u', 'a', '-p', 'b', '--password-stdin'],
      'conflicting options: cannot specify both --password and --password-stdin',
    ],
    [['--password-stdin'], 'the --password-stdin option requires --username to be set'],
    [[], 'Error: Cannot perform an interactive login from a non TTY device'],
    [['a b'], '"a b" is not the address of a registry'],
  ] as const)('%o is refused', async ([args, message]) => {
    const { call } = caller();
    const { status, stdout, stderr } = await call(['login', ...args]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(`${message}\n`);
  });
});

test('logout forgets a registry under all its names', async () => {
  const auths = {
    'r.example': { auth: 'x' },
    'https://r.example': { auth: 'x' },
    'other.example': { auth: 'x' },
  };
  const { call, config } = caller({ auths });
  expect(await call(['logout', 'https://r.example'])).toEqual({
    status: 0,
    stdout: 'Removing login credentials for r.example\n',
    stderr: '',
  });
  expect(config()).toEqual({ auths: { 'other.example': { auth: 'x' } } });
});

test('logout without a name means Docker Hub, and says what could not be erased', async () => {
  const { call } = caller({ credsStore: 'absent' }, { PATH: '/nowhere' });
  expect(await call(['logout'])).toEqual({
    status: 0,
    stdout: 'Removing login credentials for https://index.docker.io/v1/\n',
    stderr:
      'WARNING: could not erase credentials:\nhttps://index.docker.io/v1/: error getting credentials - ' +
      'docker-credential-absent erase: there is no such program in PATH\n',
  });
});

describe('search', () => {
  const results = [
    { name: 'busybox', description: 'Busybox base image.', star_count: 3000, is_official: true },
    { name: 'x/box', description: `${'long '.repeat(12)}\nend`, star_count: 2, is_official: false },
    { odd: true },
  ];

  /** A registry that answers the search; docker-registry has none. */
  async function searchable(status = 200) {
    const proxy = await startFaultProxy(server);
    onTestFinished(() => proxy.close());
    proxy.next('GET', '/v1/_ping', { kind: 'status', status: 200 });
    proxy.next('GET', '/v1/search', { kind: 'status', status, body: JSON.stringify({ results }) });
    return proxy;
  }

  test('shows a table', async () => {
    const proxy = await searchable();
    expect(await caller().call(['search', `${proxy.domain}/box`])).toEqual({
      status: 0,
      stdout: [
        'NAME      DESCRIPTION                                     STARS     OFFICIAL',
        'busybox   Busybox base image.                             3000      [OK]',
        'x/box     long long long long long long long long long…   2         ',
        '                                                          0         ',
        '',
      ].join('\n'),
      stderr: '',
    });
    expect(proxy.seen).toEqual(['GET /v1/_ping', 'GET /v1/search?q=box&n=25']);
  });

  test('filters, limits and formats', async () => {
    const proxy = await searchable();
    const args = ['--filter', 'is-official=true', '--filter', 'stars=3', '--limit', '7', '--no-trunc'];
    const format = '{{.Name}}|{{.StarCount}}|{{.IsOfficial}}';
    expect(await caller().call(['search', ...args, '--format', format, `${proxy.domain}/box`])).toEqual({
      status: 0,
      stdout: 'busybox|3000|[OK]\n',
      stderr: '',
    });
    expect(proxy.seen.at(-1)).toBe('GET /v1/search?q=box&n=7');
  });

  test('says that a registry offers none', async () => {
    const proxy = await searchable(404);
    expect(await caller().call(['search', `${proxy.domain}/box`])).toEqual({
      status: 1,
      stdout: '',
      stderr: `Error response from daemon: registry ${proxy.domain} offers no search\n`,
    });
  });

  test.for([
    [['--limit', '101'], 'limit 101 is outside the range of [1, 100]'],
    [['--filter', 'x=1'], "invalid filter 'x'"],
    [['--filter', 'stars=many'], "invalid filter 'stars=many'"],
    [['--filter', 'is-official=maybe'], "invalid filter 'is-official=maybe'"],
  ] as const)('%o is refused', async ([args, message]) => {
    expect(await caller().call(['search', ...args, '127.0.0.1:1/x'])).toEqual({
      status: 1,
      stdout: '',
      stderr: `Error response from daemon: ${message}\n`,
    });
  });
});
