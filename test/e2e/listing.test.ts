import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { readBoxesFile, recordOf } from './fixture/records.ts';

const boxes = boxesOf('list');
const up = boxes.shared('up');
const ended = boxes.shared('ended');
const fresh = boxes.shared('fresh');
const data = 'list-data';

beforeAll(async () => {
  const labels = ['--label', 'tier=web', '--label', 'empty'];
  await a3sOk([
    'run',
    '-d',
    '--name',
    up,
    '-p',
    '8080',
    ...labels,
    '-e',
    'A=1',
    '-w',
    '/tmp',
    'a3s/base',
    'sleep',
    '1000',
  ]);
  await a3s(['run', '--name', ended, 'a3s/base', 'sh', '-c', 'echo out; exit 3']);
  const mounts = ['-v', `${data}:/data`, '-v', '/etc:/hostetc', '--expose', '9000-9001/udp'];
  const words = ['--label', 'tier=db', '--network', 'none', ...mounts, 'a3s/base', 'true'];
  await a3sOk(['create', '--name', fresh, ...words]);
});

afterAll(async () => {
  await a3sOk(['rm', fresh]);
  await a3sOk(['volume', 'rm', data]);
});

/** `ps` of this file's boxes alone: other files run one after the other, but a shared state directory is shared. */
const names = (...words: string[]): Promise<string> => a3sOk(['ps', ...words, '--format', '{{.Names}}']);

describe('ps', () => {
  test('prints a table of the boxes that run, newest first with -a', async () => {
    const [header, row, ...rest] = (await a3sOk(['ps'])).split('\n');
    expect(header).toMatch(/^CONTAINER ID   IMAGE      COMMAND        CREATED +STATUS +PORTS +NAMES$/);
    const { short_id, port_map } = recordOf(up);
    const port = port_map[0]?.host_port;
    expect(row).toMatch(
      new RegExp(
        `^${short_id}   a3s/base   "sleep 1000"   .* ago +Up .* +0\\.0\\.0\\.0:${port}->8080/tcp +${up}$`,
      ),
    );
    expect(rest).toEqual([]);
    expect(await names('-a')).toBe(`${fresh}\n${ended}\n${up}`);
    expect(port).toBeGreaterThan(0);
  });

  test("shows docker's words for each state", async () => {
    const out = await a3sOk(['ps', '-a', '--format', '{{.Names}}={{.State}}={{.Status}}']);
    expect(out).toMatch(
      new RegExp(
        `^${fresh}=created=Created\n${ended}=exited=Exited \\(3\\) [^\n]* ago\n${up}=running=Up [^\n]*$`,
      ),
    );
  });

  test('-q prints IDs, and nothing when there are none', async () => {
    expect(await a3sOk(['ps', '-q'])).toBe(recordOf(up).short_id);
    expect(await a3sOk(['ps', '-q', '--no-trunc'])).toBe(recordOf(up).id);
    expect(await a3s(['ps', '-aq', '--filter', 'name=nosuch'])).toMatchObject({
      status: 0,
      out: '',
      err: '',
    });
  });

  test.each([
    ['name=list-e', ended],
    ['status=exited', ended],
    ['status=stopped', ended],
    ['status=running', up],
    ['status=created', fresh],
    ['label=tier', `${fresh}\n${up}`],
    ['label=tier=web', up],
    ['exited=3', ended],
    ['ancestor=a3s/base', `${fresh}\n${ended}\n${up}`],
    [`before=${ended}`, up],
    [`since=${up}`, `${fresh}\n${ended}`],
    ['publish=8080', up],
    ['publish=8000-8090/tcp', up],
    ['publish=8080/udp', ''],
    ['expose=8080', up],
    ['expose=9001/udp', fresh],
    [`volume=${data}`, fresh],
    ['volume=/data', fresh],
    ['network=none', fresh],
    ['network=bridge', `${ended}\n${up}`],
  ])('--filter %s', async (filter, expected) => {
    expect(await names('-a', '--filter', filter)).toBe(expected);
  });

  test('-l and -n show the newest, whatever they do', async () => {
    expect(await names('-l')).toBe(fresh);
    expect(await names('--latest', '--filter', 'status=running')).toBe(up);
    expect(await names('-n', '2')).toBe(`${fresh}\n${ended}`);
    expect(await a3sOk(['ps', '-q', '--last', '1'])).toBe(recordOf(fresh).short_id);
    expect(await names('-n', '-1')).toBe(up);
  });

  test('--filter id takes a prefix', async () => {
    expect(await names('-a', '--filter', `id=${recordOf(ended).short_id}`)).toBe(ended);
  });

  test('--filter with an unknown key is an error', async () => {
    const { status, out, err } = await a3s(['ps', '--filter', 'nosuch=1']);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/invalid filter 'nosuch'/);
  });

  test('--format json prints an object a line', async () => {
    const lines = (await a3sOk(['ps', '-a', '--no-trunc', '--format', 'json'])).split('\n');
    const rows = lines.map((line): unknown => JSON.parse(line));
    expect(rows).toMatchObject([
      { Names: fresh },
      { Names: ended, State: 'exited' },
      { Names: up, State: 'running' },
    ]);
    expect(rows[2]).toMatchObject({ ID: recordOf(up).id, Image: 'a3s/base', Command: '"sleep 1000"' });
  });

  test('container ls is the same command', async () => {
    expect(await a3sOk(['container', 'ls', '-q'])).toBe(await a3sOk(['ps', '-q']));
  });
});

describe('inspect', () => {
  test("prints docker's JSON, with the record under Box", async () => {
    const parsed: unknown = JSON.parse(await a3sOk(['inspect', up]));
    const record = recordOf(up);
    expect(parsed).toEqual([
      expect.objectContaining({
        Id: record.id,
        Name: `/${up}`,
        Path: 'sleep',
        Args: ['1000'],
        Image: record.image_id,
        RestartCount: 0,
        State: expect.objectContaining({
          Status: 'running',
          Running: true,
          Paused: false,
          Restarting: false,
          OOMKilled: false,
          Dead: false,
          Pid: record.pid,
          ExitCode: 0,
          Error: '',
          StartedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
          FinishedAt: '0001-01-01T00:00:00Z',
        }),
        Config: expect.objectContaining({
          Hostname: record.short_id,
          Env: expect.arrayContaining(['A=1']),
          Cmd: ['sleep', '1000'],
          Image: 'a3s/base',
          WorkingDir: '/tmp',
          Labels: { tier: 'web', empty: '' },
          Tty: false,
          OpenStdin: false,
        }),
        HostConfig: expect.objectContaining({
          AutoRemove: false,
          ReadonlyRootfs: false,
          Memory: 512 * 1024 * 1024,
        }),
        NetworkSettings: expect.objectContaining({
          Ports: { '8080/tcp': [{ HostIp: '0.0.0.0', HostPort: String(record.port_map[0]?.host_port) }] },
        }),
        Box: expect.objectContaining({
          id: record.id,
          status: 'running',
          exec_socket_path: record.exec_socket_path,
        }),
      }),
    ]);
  });

  test('-f takes a Go template', async () => {
    const format = '{{.State.Status}} {{json .Config.Cmd}} {{index .Config.Labels "tier"}}';
    expect(await a3sOk(['inspect', '-f', format, up])).toBe('running ["sleep","1000"] web');
  });

  test('of nothing prints [] and the error', async () => {
    expect(await a3s(['inspect', 'nosuch'])).toMatchObject({
      status: 1,
      out: '[]\n',
      err: 'Error: No such object: nosuch\n',
    });
  });

  test('of several of which one is missing prints the rest', async () => {
    const { status, out, err } = await a3s(['inspect', '-f', '{{.Name}}', up, 'nosuch', ended]);
    expect({ status, out, err }).toEqual({
      status: 1,
      out: `/${up}\n/${ended}\n`,
      err: 'Error: No such object: nosuch\n',
    });
  });
});

describe('a box is found', () => {
  test('by name, ID, ID without dashes, short ID and a unique prefix', async () => {
    const { id, short_id } = recordOf(ended);
    const queries = [ended, `/${ended}`, id, id.replaceAll('-', ''), short_id, id.slice(0, 10)];
    const found = await Promise.all(queries.map((query) => a3sOk(['inspect', '-f', '{{.Name}}', query])));
    expect(found).toEqual(queries.map(() => `/${ended}`));
  });

  test('unless its prefix is ambiguous: the matches are named', async () => {
    // Among 17 boxes two begin with the same digit.
    const startingWith = (digit: string): string[] =>
      readBoxesFile()
        .filter((box) => box.id.startsWith(digit))
        .map((box) => `${box.short_id} (${box.name})`);
    const shared = (): string | undefined =>
      '0123456789abcdef'.split('').find((digit) => startingWith(digit).length > 1);
    for (let n = 0; shared() === undefined; n += 1) {
      await a3sOk(['create', '--name', boxes.name('twin'), 'a3s/base', 'true']);
      expect(n).toBeLessThan(17);
    }
    const prefix = shared() ?? '';
    const { status, out, err } = await a3s(['start', prefix]);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain(`Error response from daemon: Multiple containers found with prefix ${prefix}: `);
    for (const match of startingWith(prefix)) expect(err).toContain(match);
  });

  test('by the name it was given when none was asked for', async () => {
    const id = await a3sOk(['create', 'a3s/base', 'true']);
    const name = (await a3sOk(['inspect', '-f', '{{.Name}}', id])).slice(1);
    expect(name).toMatch(/^[a-z]+_[a-z]+\d*$/);
    expect(await a3sOk(['rm', name])).toBe(name);
  });
});

describe('images, info and version', () => {
  test('images lists the embedded image', async () => {
    const [header, row] = (await a3sOk(['images'])).split('\n');
    expect(header).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
    expect(row).toMatch(/^a3s\/base +latest +[0-9a-f]{12} +.* ago +[\d.]+[kM]B$/);
    const id = recordOf(up).image_id.slice('sha256:'.length, 'sha256:'.length + 12);
    expect(await a3sOk(['images', '-q'])).toBe(id);
    expect(await a3sOk(['images', '-q', 'nosuch'])).toBe('');
  });

  test('info tells the accelerator and why, the boxes, and what is missing', async () => {
    const { status, out, err } = await a3s(['info']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/^Boxes: 3\n\s+Running: 1\n\s+Paused: 0\n\s+Stopped: 2\n/m);
    expect(out).toMatch(/^Accelerator: (kvm|tcg)\n Reason: \S.*$/m);
    expect(out).toMatch(/^\s+qemu-system-x86_64: \/.*$/m);
  });

  test('version names this program', async () => {
    const { status, out, err } = await a3s(['version']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/Version: +\d+\.\d+\.\d+/);
    expect(await a3sOk(['--version'])).toMatch(/^a3s-box version \d+\.\d+\.\d+/);
  });
});
