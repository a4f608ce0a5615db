/** Flags and commands that no other file gives: `run` and `start` with less common streams and keys, and what needs no box. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { commandHelp } from '../../src/commands/help.ts';
import { load } from '../../src/commands/registry.ts';
import { startRegistry, type TestRegistry } from '../fixture/registry/docker-registry.ts';
import { temporaryDirectory } from '../temporary.ts';
import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk, CliProcess, LAUNCHER } from './fixture/cli.ts';
import { machineOfFile, seen } from './fixture/machine.ts';
import { recordOf } from './fixture/records.ts';
import { Terminal } from './fixture/terminal.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('further');
const up = boxes.shared('up');
const BASE_ID = /^sha256:[0-9a-f]{64}$/;

beforeAll(async () => {
  const flags = ['--platform', 'linux/amd64', '-m', '64m', '--memory-swap', '-1'];
  // Without a grace it has no time to say so.
  const script = 'trap "sleep 2; echo term; exit 4" TERM; echo up; while :; do sleep 0.1; done';
  await a3sOk(['run', '-d', '--name', up, ...flags, 'a3s/base', 'sh', '-c', script]);
});

const terminals: Terminal[] = [];
async function inTerminal(...words: string[]): Promise<Terminal> {
  const line = [LAUNCHER, ...words].map((word) => `'${word}'`).join(' ');
  const terminal = await Terminal.open(line, { rows: 24, cols: 80 });
  terminals.push(terminal);
  return terminal;
}
afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.close();
});

describe('run', () => {
  test('-a shows the streams that it names alone', async () => {
    const script = 'echo out; echo err >&2; exit 3';
    const run = async (...streams: string[]): Promise<unknown> =>
      seen(await a3s(['run', '--rm', ...streams, 'a3s/base', 'sh', '-c', script]));
    expect(await run('-a', 'stdout')).toEqual({ status: 3, out: 'out\n', err: '' });
    expect(await run('--attach', 'STDERR')).toEqual({ status: 3, out: '', err: 'err\n' });
  });

  test('--sig-proxy=false: an interrupt ends the command alone', async () => {
    const name = boxes.name('noproxy');
    const script = 'trap "echo int; exit 7" INT; echo ready; while :; do sleep 0.1; done';
    const words = ['run', '--sig-proxy=false', '--name', name, 'a3s/base', 'sh', '-c', script];
    const run = new CliProcess(words);
    await run.says(/ready/);
    run.child.kill('SIGINT');
    expect(seen(await run.ended)).toEqual({ status: 130, out: 'ready\n', err: '' });
    expect(await a3sOk(['exec', name, 'echo', 'on'])).toBe('on');
    await until('its log', async () => (await a3sOk(['logs', name])) === 'ready');
  });

  test('--detach-keys sets the keys, as start --detach-keys does for a box that runs already', async () => {
    const name = boxes.name('keys');
    const first = await inTerminal(
      'run',
      '-it',
      '--detach-keys',
      'ctrl-a,d',
      '--name',
      name,
      'a3s/base',
      'sh',
      '-c',
      'echo ready; cat',
    );
    await first.shows(/ready/);
    first.type('\u0001d');
    expect((await first.ended()).status).toBe(0);
    const { pid } = recordOf(name);
    const second = await inTerminal('start', '-ai', '--detach-keys', 'ctrl-e,x', name);
    second.type('again\n');
    await second.shows(/again\n(.*\n)*again/);
    second.type('\u0005x');
    expect((await second.ended()).status).toBe(0);
    expect(recordOf(name)).toMatchObject({ status: 'running', pid });
  });

  test('--platform and --memory-swap stand in the box', async () => {
    const format = '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.Platform}}';
    expect(await a3sOk(['inspect', '-f', format, up])).toBe('67108864 -1 linux');
    const equal = boxes.name('equal');
    await a3sOk(['create', '--name', equal, '-m', '64m', '--memory-swap', '64m', 'a3s/base']);
    expect(await a3sOk(['inspect', '-f', format, equal])).toBe('67108864 67108864 linux');
  });

  test.each([
    [
      ['--pull', 'never', '--platform', 'linux/arm64'],
      'a3s-box: Error response from daemon: image with reference a3s/base:latest was found but does not provide the specified platform (linux/arm64)\n',
    ],
    [
      ['-m', '64m', '--memory-swap', '128m'],
      'a3s-box: --memory-swap 134217728 is not supported: a box has no swap; it equals --memory (67108864) or is -1\n' +
        'Hint: give the box what it needs with --memory\n',
    ],
  ])('%j is refused', async (flags, err) => {
    const help = "\nRun 'a3s-box run --help' for more information\n";
    expect(seen(await a3s(['run', ...flags, 'a3s/base', 'true']))).toEqual({
      status: 125,
      out: '',
      err: err + help,
    });
  });

  test('--pid host is refused with the reason: it can mean nothing in a VM', async () => {
    expect(seen(await a3s(['run', '--pid', 'host', 'a3s/base', 'true']))).toEqual({
      status: 125,
      out: '',
      err: '--pid is not supported: a box has a kernel of its own and shares no namespace with the host or with another box\n',
    });
  });

  test('--detach-keys that are none are refused', async () => {
    const answer = { status: 1, out: '', err: "invalid detach keys (ctrl-!): Unknown character: 'ctrl-!'\n" };
    expect(seen(await a3s(['run', '--detach-keys', 'ctrl-!', 'a3s/base', 'true']))).toEqual(answer);
    expect(seen(await a3s(['start', '-a', '--detach-keys', 'ctrl-!', up]))).toEqual(answer);
  });
});

test('restart takes the grace as --time as well; start -a joins a box that runs, and has its status', async () => {
  expect(seen(await a3s(['restart', '--time', '0', up]))).toEqual({ status: 0, out: `${up}\n`, err: '' });
  await until('its trap', async () => (await a3sOk(['logs', up])) === 'up\nup');
  const joined = new CliProcess(['start', '-a', up]);
  const { started_at } = recordOf(up);
  await attached(up);
  expect(seen(await a3s(['stop', up]))).toEqual({ status: 0, out: `${up}\n`, err: '' });
  expect(seen(await joined.ended)).toEqual({ status: 4, out: 'term\n', err: '' });
  expect(recordOf(up)).toMatchObject({ started_at, exit_code: 4 });
});

/** Until somebody has joined the box since its last start. */
async function attached(name: string): Promise<void> {
  const words = ['events', '--since', '10m', '-f', `container=${name}`, '--format', '{{.Action}}'];
  const follow = new CliProcess(words);
  await follow.says(/restart\nattach\n/);
  follow.child.kill('SIGINT');
  await follow.ended;
}

describe('help', () => {
  test('of a command is the same however it is asked for', async () => {
    const expected = commandHelp(await load('run'), 'run', 'run');
    expect(expected).toMatch(
      /^Usage: {2}a3s-box run \[OPTIONS\] IMAGE \[COMMAND\] \[ARG\.\.\.\]\n\nCreate and run /,
    );
    for (const words of [
      ['run', '--help'],
      ['help', 'run'],
      ['run', '-d', '--help', 'a3s/base'],
    ]) {
      expect(seen(await a3s(words))).toEqual({ status: 0, out: expected, err: '' });
    }
  });

  test('of a group lists its commands', async () => {
    const answer = await a3s(['volume', '--help']);
    expect(seen(answer)).toEqual({
      status: 0,
      out: `Usage:  a3s-box volume COMMAND

Manage volumes

Commands:
  create      Create a volume
  inspect     Display detailed information on one or more volumes
  ls          List volumes
  prune       Remove unused local volumes
  rm          Remove one or more volumes

Run 'a3s-box volume COMMAND --help' for more information on a command.
`,
      err: '',
    });
    const container = await a3s(['container', '--help']);
    expect(container).toMatchObject({ status: 0, err: '' });
    expect(seen(await a3s(['help', 'container']))).toEqual(seen(container));
    expect(
      container.out
        .match(/^ {2}\w+/gm)
        ?.map((word) => word.trim())
        .join(' '),
    ).toBe(
      'attach commit cp create diff exec export inspect kill logs ls pause port prune rename restart rm run ' +
        'start stats stop top unpause update wait',
    );
  });
});

describe('info, version, images and history', () => {
  test('info and version take templates', async () => {
    expect(await a3sOk(['info', '--format', '{{.OSType}} {{.Containers}} {{.ContainersRunning}}'])).toMatch(
      /^linux [1-9]\d* \d+$/,
    );
    const [version] = /\d+\.\d+\.\d+/.exec(await a3sOk(['--version'])) ?? [];
    const format = '{{.Client.Version}} {{.Client.ApiVersion}} {{.Server.Os}}/{{.Server.Arch}}';
    expect(await a3sOk(['version', '--format', format])).toBe(`${version} 1.51 linux/amd64`);
    const json: unknown = JSON.parse(await a3sOk(['version', '-f', 'json']));
    expect(json).toMatchObject({ Client: { Version: version }, Server: { Components: expect.any(Array) } });
    expect(seen(await a3s(['info', '-f', '{{.Nosuch}}']))).toEqual({
      status: 1,
      out: '',
      err: `template parsing error: template: :1:2: executing "" at <.Nosuch>: can't evaluate field Nosuch in type system.dockerInfo\n`,
    });
  });

  test('images -a and --no-trunc, history -q', async () => {
    const id = await a3sOk(['image', 'inspect', '-f', '{{.Id}}', 'a3s/base']);
    expect(id).toMatch(BASE_ID);
    const short = id.slice(7, 19);
    const [head, row, ...rest] = (await a3sOk(['images', '-a', '--no-trunc', 'a3s/base'])).split('\n');
    expect(head).toMatch(/^REPOSITORY +TAG +IMAGE ID {60,}CREATED +SIZE$/);
    expect(row).toMatch(new RegExp(`^a3s/base +latest +${id} +.* ago +[\\d.]+MB$`));
    expect(rest).toEqual([]);
    expect(await a3sOk(['images', '-aq', 'a3s/base'])).toBe(short);
    expect(await a3sOk(['history', '-q', 'a3s/base'])).toBe(short);
    expect(await a3sOk(['history', '-q', '--no-trunc', 'a3s/base'])).toBe(id);
  });
});

describe('system prune', () => {
  const here = machineOfFile();
  const QUESTION = '\nAre you sure you want to continue? [y/N] ';
  const always =
    'WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n';

  test('--volumes takes anonymous volumes as well, -a images that nothing uses; both say so first', async () => {
    const both = ['system', 'prune', '-a', '--volumes'];
    expect(seen(await here.a3s(both, { stdin: 'n\n' }))).toEqual({
      status: 0,
      out:
        `${always}  - all anonymous volumes not used by at least one container\n` +
        `  - all images without at least one container associated to them\n  - all build cache\n${QUESTION}`,
      err: '',
    });
    await here.ok(['create', '--name', 'mounts', '-v', '/data', 'a3s/base']);
    await here.ok(['rm', 'mounts']);
    await here.ok(['volume', 'create', 'kept']);
    const anonymous = (await here.ok(['volume', 'ls', '-q'])).split('\n').find((name) => name !== 'kept');
    expect(seen(await here.a3s(['system', 'prune', '-f']))).toEqual({
      status: 0,
      out: 'Total reclaimed space: 0B\n',
      err: '',
    });
    expect(seen(await here.a3s(['system', 'prune', '-f', '--volumes']))).toEqual({
      status: 0,
      out: `Deleted Volumes:\n${anonymous}\n\nTotal reclaimed space: 0B\n`,
      err: '',
    });
    expect(await here.ok(['volume', 'ls', '-q'])).toBe('kept');

    const context = temporaryDirectory();
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
    const id = await here.ok(['build', '-q', '-t', 'made:1', context]);
    expect(seen(await here.a3s(['system', 'prune', '-f']))).toMatchObject({
      out: 'Total reclaimed space: 0B\n',
    });
    const pruned = await here.a3s(['system', 'prune', '-af']);
    expect(pruned).toMatchObject({ status: 0, err: '' });
    expect(pruned.out).toMatch(
      new RegExp(
        `^Deleted Images:\nuntagged: made:1\ndeleted: ${id}\n\n` +
          'Deleted build cache objects:\n[0-9a-z]{25}\n\nTotal reclaimed space: [\\d.]+kB\n$',
      ),
    );
    expect(await here.ok(['images', '--format', '{{.Repository}}'])).toBe('a3s/base');
  });

  test('builder prune keeps to its bounds; builder du --verbose tells of each record', async () => {
    const context = temporaryDirectory();
    writeFileSync(join(context, 'c'), randomBytes(20_000));
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY c /c\nCOPY c /d\n');
    const build = ['build', '-q', '-o', 'type=tar,dest=/dev/null', context];
    const ids = async (): Promise<string[]> =>
      (await here.ok(['builder', 'du', '--format', '{{.ID}}'])).split('\n').filter((id) => id !== '');
    await here.ok(build);
    const [first, second] = await ids();
    const record = (id: string | undefined, parent: string, step: string): string =>
      `ID:\t\t${id}\n${parent}Created at:\t\\d{4}-\\S+ [\\d:.]+ \\+0000 UTC\nMutable:\tfalse\nReclaimable:\ttrue\n` +
      `Shared:\t\tfalse\nSize:\t\t20\\.\\d+kB\nDescription:\tCOPY ${step}\nUsage count:\t1\n` +
      'Last used:\t(Less than a second|\\d+ seconds?) ago\nType:\t\tregular\n\n';
    expect(await here.a3s(['builder', 'du', '--verbose'])).toMatchObject({
      status: 0,
      err: '',
      out: expect.stringMatching(
        new RegExp(
          `^${record(first, '', 'c /c')}${record(second, `Parent:\t\t${first}\n`, 'c /d')}` +
            'Reclaimable:\t[\\d.]+kB\nTotal:\t\t[\\d.]+kB\n$',
        ),
      ),
    });
    for (const bound of [
      ['--max-used-space', '1gb'],
      ['--min-free-space', '1kb'],
      ['--reserved-space', '1gb'],
    ]) {
      expect(seen(await here.a3s(['builder', 'prune', '-f', ...bound]))).toEqual({
        status: 0,
        out: 'Total reclaimed space: 0B\n',
        err: '',
      });
    }
    await here.ok(['builder', 'prune', '-f', '--max-used-space', '30kb']);
    expect(await ids()).toHaveLength(1);
    await here.ok(['builder', 'prune', '-f', '--min-free-space', '1000000gb']);
    expect(await ids()).toEqual([]);
    await here.ok(build);
    await here.ok(['builder', 'prune', '-f', '--reserved-space', '30kb']);
    expect(await ids()).toHaveLength(1);
  });
});

describe('registries', () => {
  let open: TestRegistry;
  let closed: TestRegistry;
  const config = mkdtempSync(join(tmpdir(), 'a3s-config-'));
  const env = { DOCKER_CONFIG: config };
  beforeAll(async () => {
    [open, closed] = [await startRegistry(), await startRegistry({ users: { ann: 'secret' } })];
  });
  afterAll(async () => {
    for (const registry of [open, closed]) await registry.close();
    rmSync(config, { recursive: true });
  });

  test('login -p warns that the password can be seen', async () => {
    const warning = 'WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n';
    const login = (password: string) => a3s(['login', '-u', 'ann', '-p', password, closed.domain], { env });
    expect(seen(await login('secret'))).toEqual({
      status: 0,
      out: 'Login Succeeded\n',
      err:
        `${warning}\nWARNING! Your credentials are stored unencrypted in '${config}/config.json'.\n` +
        'Configure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n',
    });
    expect(seen(await login('wrong'))).toEqual({
      status: 1,
      out: '',
      err: `${warning}Error response from daemon: login attempt to http://${closed.domain}/v2/ failed with status: 401 Unauthorized\n`,
    });
  });

  test('search tells of a registry that has no search, and of a limit out of bounds', async () => {
    expect(seen(await a3s(['search', `${open.domain}/box`], { env }))).toEqual({
      status: 1,
      out: '',
      err: `Error response from daemon: registry ${open.domain} offers no search\n`,
    });
    expect(seen(await a3s(['search', '--limit', '101', 'box'], { env }))).toEqual({
      status: 1,
      out: '',
      err: 'Error response from daemon: limit 101 is outside the range of [1, 100]\n',
    });
  });
});
