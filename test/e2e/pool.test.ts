/** Warm boxes: `run` takes them, and nothing tells them from others but the time. */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { boxDirectory, layoutOf } from '../../src/state/layout.ts';
import { temporaryDirectory } from '../temporary.ts';
import { a3s, a3sOk, CliProcess, type CliOptions } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { home } from './fixture/home.ts';
import { full, taken, takenBy } from './fixture/pools.ts';
import { killIfAlive, makesTemplate, processesNaming, quiet, signalTo } from './fixture/processes.ts';
import { recordOf } from './fixture/records.ts';
import { spansOf } from './fixture/spans.ts';
import { randomSource } from '../unit/random.ts';
import { until } from './fixture/until.ts';

const MIB = 1024 * 1024;
const COLD = { A3S_BOX_POOL: '0' };

const boxes = boxesOf('pool');

beforeAll(() =>
  a3sOk(['pool', 'start', '--image', 'a3s/base', '--size', '2', '--wait'], { deadlineMs: 120_000 }),
);
afterAll(async () => {
  await a3sOk(['pool', 'stop']);
  expect(processesNaming(home()).filter(({ role }) => role !== 'other')).toEqual([]);
});

/** What a command says and returns. */
async function outcome(words: readonly string[], options: CliOptions = {}) {
  const { status, out, err } = await a3s(words, options);
  return { status, out, err };
}

describe('run takes a warm box and is the same run', () => {
  test('with its output, its complaints and its status', async () => {
    const words = ['run', '--rm', 'a3s/base', 'sh', '-c', 'echo out; echo err >&2; exit 3'];
    const took = await takenBy(async () => {
      expect(await outcome(words)).toEqual({ status: 3, out: 'out\n', err: 'err\n' });
    });
    expect(took).toBe(1);
  });

  // Everything about the box that does not hold its ID; few processes, because each takes its time under emulation.
  const facts =
    'env | grep -v HOSTNAME; pwd; id; ulimit -n; grep -E "^(Cap|NoNew)" /proc/self/status; ' +
    'cut -d" " -f2- /proc/mounts; cat /etc/resolv.conf /sys/fs/cgroup/memory.max /proc/1/comm; nproc; domainname; ' +
    'ls /sys/class/net; echo > /written && echo writable; tty; test -z "$READS" || cat';
  const cases: { flags: string[]; warm: boolean; stdin?: string }[] = [
    {
      flags: ['-i', '-e', 'READS=1', '-e', 'A=b c', '-w', '/tmp/new', '-u', '1000:100', '--cpus', '1.5'],
      warm: true,
      stdin: 'given\n',
    },
    {
      flags: ['-t', '--init', '--privileged', '--read-only', '--tmpfs', '/t', '--ulimit', 'nofile=99:100'],
      warm: true,
    },
    {
      flags: ['--cap-drop', 'ALL', '--domainname', 'example.org', '--dns', '192.0.2.1', '--label', 'a=b'],
      warm: true,
    },
    { flags: ['--network', 'none'], warm: false },
    { flags: ['-v', '/etc/passwd:/passwd:ro'], warm: false },
    { flags: ['-p', '127.0.0.1::80'], warm: false },
  ];
  // A machine with a share is made from templates of its own, at the first run.
  test.each(cases)('with $flags', { timeout: 300_000 }, async ({ flags, warm, stdin }) => {
    const words = ['run', '--rm', ...flags, 'a3s/base', 'sh', '-c', facts];
    const given = { deadlineMs: 240_000, ...(stdin === undefined ? {} : { stdin }) };
    const cold = await outcome(words, { ...given, env: COLD });
    const took = await takenBy(async () => expect(await outcome(words, given)).toEqual(cold));
    expect(took).toBe(warm ? 1 : 0);
    expect(cold.status).toBe(0);
    if (stdin !== undefined) expect(cold.out.endsWith(stdin)).toBe(true);
    // Its VM is none of the pool's.
    await until('the end of template builds', () => !makesTemplate(home()), 60_000);
  });

  test('with another entrypoint', async () => {
    const words = ['run', '--rm', '--entrypoint', 'echo', 'a3s/base', 'a', 'b'];
    const took = await takenBy(async () =>
      expect(await outcome(words)).toEqual({ status: 0, out: 'a b\n', err: '' }),
    );
    expect(took).toBe(1);
  });

  test('with a command that is not there', async () => {
    const words = ['run', '--rm', 'a3s/base', 'nosuch'];
    let cold: unknown;
    const none = await takenBy(async () => {
      cold = await outcome(words, { env: COLD });
    });
    const took = await takenBy(async () => expect(await outcome(words)).toEqual(cold));
    expect([none, took]).toEqual([0, 1]);
    expect(cold).toMatchObject({ status: 127 });
  });

  test('in the background, and afterwards as any box', async () => {
    const name = boxes.name('kept');
    let id = '';
    const took = await takenBy(async () => {
      id = await a3sOk([
        'run',
        '-d',
        '--name',
        name,
        'a3s/base',
        'sh',
        '-c',
        'echo said; echo kept > /kept; sleep 1000',
      ]);
    });
    expect(took).toBe(1);
    const record = recordOf(name);
    expect(record).toMatchObject({ id, status: 'running', hostname: record.short_id });
    expect(await a3sOk(['exec', name, 'hostname'])).toBe(record.short_id);
    expect(await a3sOk(['exec', name, 'cat', '/etc/machine-id'])).toBe(id.replaceAll('-', ''));
    await until('its log', async () => (await a3sOk(['logs', name])) === 'said');
    expect(readdirSync(record.box_dir)).not.toContain('warm');
    await a3sOk(['stop', '-t', '0', name]);
    await a3sOk(['start', name]);
    expect(await a3sOk(['exec', name, 'cat', '/kept'])).toBe('kept');
  });

  test('with the time of now and randomness of its own', async () => {
    await full();
    const words = [
      'run',
      '--rm',
      'a3s/base',
      'sh',
      '-c',
      'date +%s; head -c 16 /dev/urandom | md5sum; cat /proc/sys/kernel/random/uuid',
    ];
    const said = await Promise.all([a3sOk(words), a3sOk(words)]);
    const [first = [], second = []] = said.map((text) => text.split('\n'));
    expect(Math.abs(Number(first[0]) - Date.now() / 1000)).toBeLessThan(30);
    expect(first[1]).not.toBe(second[1]);
    expect(first[2]).not.toBe(second[2]);
  });
});

test('no box is given twice to many that ask at once, and each that waits is given', async () => {
  await full();
  const warm = (await a3sOk(['pool', 'ls', '-q'])).split('\n');
  const words = ['run', '--rm', 'a3s/base', 'hostname'];
  const runs = await Promise.all(Array.from({ length: 4 }, () => a3sOk(words)));
  expect(new Set(runs).size).toBe(4);
  expect(runs.filter((id) => warm.includes(id)).toSorted()).toEqual(warm.toSorted());
});

test('no memory of a box is offered to the kernel to be merged with that of others', async () => {
  await full();
  const machines = processesNaming(home()).filter(({ role }) => role === 'vm');
  expect(machines).toHaveLength(2);
  for (const { pid } of machines) {
    const flags = readFileSync(`/proc/${pid}/smaps`, 'utf8').match(/^VmFlags: .*$/gm) ?? [];
    expect(flags.length).toBeGreaterThan(0);
    expect(flags.filter((line) => line.split(' ').includes('mg'))).toEqual([]);
  }
});

test('the trace of a run has the spans of the warm box that it takes from then on', async () => {
  await full();
  const file = join(temporaryDirectory(), 'run.json');
  await a3sOk(['run', '--rm', 'a3s/base', 'true'], { env: { A3S_BOX_TRACE: file } });
  expect(spansOf(file)).toEqual([
    [
      'command: program loaded',
      'command: warm box taken',
      'command: record written',
      'command: box handed to its monitor',
      'command: waited for the start',
      'command: waited for the result',
      'command: its work, and its output',
    ],
    [
      'monitor: request taken',
      'guest: restored until its agent answers',
      'guest: workload started',
      'guest: workload',
      'monitor: VM ended and record settled',
    ],
  ]);
});

test('warm boxes are in no list of boxes', async () => {
  await full();
  expect(await a3sOk(['ps', '-aq'])).toBe('');
  const ids = (await a3sOk(['pool', 'ls', '-q'])).split('\n');
  expect(ids).toHaveLength(2);
  expect(ids.toSorted()).toEqual(readdirSync(join(home(), 'boxes')).toSorted());
});

describe('kill -9', () => {
  const victims = (): Record<'monitor' | 'vm' | 'keeper', number[]> => {
    const all = processesNaming(home());
    const pids = (role: string): number[] => all.filter((each) => each.role === role).map(({ pid }) => pid);
    const keeper = all.filter(({ command }) => command.includes(' __keep-pools ')).map(({ pid }) => pid);
    return { monitor: pids('monitor'), vm: pids('vm'), keeper };
  };

  test.each(['monitor', 'vm'] as const)(
    'of the %s of a warm box: another one takes its place',
    async (role) => {
      await full();
      const before = (await a3sOk(['pool', 'ls', '-q'])).split('\n');
      signalTo(victims()[role][0], 'SIGKILL');
      await until('the loss to be noticed', async () => {
        const now = (await a3sOk(['pool', 'ls', '-q'])).split('\n');
        return now.filter((id) => before.includes(id)).length === 1;
      });
      await full();
      const now = (await a3sOk(['pool', 'ls', '-q'])).split('\n');
      await directoriesAre(now);
      expect(await a3sOk(['run', '--rm', 'a3s/base', 'echo', 'on'])).toBe('on');
    },
  );

  /** Of who has lost a process the last steps may be to come. */
  const directoriesAre = (ids: readonly string[]): Promise<boolean> =>
    until('the directories of warm boxes alone', () => {
      const found = readdirSync(join(home(), 'boxes')).toSorted();
      return JSON.stringify(found) === JSON.stringify(ids.toSorted());
    });

  const random = randomSource(6);
  const series = Array.from({ length: 9 }, (_, n) => ({
    victim: (['cli', 'monitor', 'vm'] as const)[n % 3] ?? 'cli',
    delayMs: Math.floor(random() * 250),
  }));
  test.each(series)(
    'of the $victim after $delayMs ms of a run leaves no box',
    async ({ victim, delayMs }) => {
      await full();
      const run = new CliProcess(['run', '--rm', 'a3s/base', 'sh', '-c', 'echo on; sleep 0.2']);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const pid = victim === 'cli' ? run.pid : victims()[victim][0];
      if (pid !== undefined) killIfAlive(pid);
      await run.ended;
      await until('no box', async () => (await a3sOk(['ps', '-aq'])) === '');
      await full();
      await directoriesAre((await a3sOk(['pool', 'ls', '-q'])).split('\n'));
      expect(victims().vm).toHaveLength(2);
    },
  );

  test('of the keeper: its boxes go, and a run starts as ever', async () => {
    await full();
    const name = await boxes.detached('stays', ['a3s/base', 'sleep', '1000']);
    signalTo(victims().keeper[0], 'SIGKILL');
    const { short_id } = recordOf(name);
    await until('the end of the warm boxes', () =>
      processesNaming(home()).every(({ command }) => command.includes(short_id)),
    );
    expect(readdirSync(join(home(), 'boxes'))).toEqual([short_id]);
    expect(readdirSync(join(home(), 'pool'))).toEqual(['keeper.sock']);
    expect(await a3sOk(['exec', name, 'echo', 'on'])).toBe('on');
    expect(await a3sOk(['pool', 'status', '--format', '{{.Image}}'])).toBe('');
    expect(await a3sOk(['run', '--rm', 'a3s/base', 'echo', 'on'])).toBe('on');
    await a3sOk(['pool', 'start', '--image', 'a3s/base', '--size', '2', '--wait']);
  });

  test('of everything at once: the next command clears it away', async () => {
    await full();
    const { monitor, vm, keeper } = victims();
    // Some end with those before them.
    for (const pid of [...keeper, ...monitor, ...vm]) killIfAlive(pid);
    expect(await a3sOk(['ps', '-aq'])).toBe('');
    expect(readdirSync(join(home(), 'boxes'))).toEqual([]);
    expect(readdirSync(join(home(), 'pool'))).toEqual(['keeper.sock']);
    await a3sOk(['pool', 'start', '--image', 'a3s/base', '--size', '2', '--wait']);
  });
});

describe('a pool', () => {
  test('changes its size however its image is written, and counts no box that is on its way out', async () => {
    await full();
    const [kept = '', last = ''] = (await a3sOk(['pool', 'ls', '-q'])).split('\n');
    const monitor = processesNaming(boxDirectory(layoutOf(home()), last)).find(
      ({ role }) => role === 'monitor',
    );
    // It does not end.
    signalTo(monitor?.pid, 'SIGSTOP');
    try {
      const smaller = ['pool', 'start', '--image', 'docker.io/a3s/base:latest', '--size', '1'];
      expect(await outcome(smaller)).toEqual({ status: 0, out: 'docker.io/a3s/base:latest\n', err: '' });
      expect(await a3sOk(['pool', 'ls', '--format', '{{.ID}} {{.State}}'])).toBe(`${kept} ready`);
      const fields = '{{.Image}} {{.Size}} {{.Ready}} {{.Warming}}';
      expect(await a3sOk(['pool', 'status', '--format', fields])).toBe('a3s/base:latest 1 1 0');
    } finally {
      signalTo(monitor?.pid, 'SIGCONT');
    }
    await a3sOk(['pool', 'start', '--image', 'a3s/base', '--size', '2', '--wait']);
    expect((await a3sOk(['pool', 'ls', '-q'])).split('\n')).toHaveLength(2);
  });

  test('of another machine serves the runs that ask for it, and is stopped by its image', async () => {
    const machine = ['--memory', '128m', '--cpus', '1'];
    const start = ['pool', 'start', '--image', 'a3s/base', ...machine, '--size', '1', '--ttl', '0', '--wait'];
    await full();
    const before = await taken();
    await a3sOk(start, { deadlineMs: 120_000 });
    const run = (...flags: string[]): Promise<string> =>
      a3sOk(['run', '--rm', ...flags, 'a3s/base', 'sh', '-c', 'nproc; cat /sys/fs/cgroup/memory.max']);
    expect(await run(...machine)).toBe(`1\n${128 * MIB}`);
    expect(await run()).toBe(`2\n${512 * MIB}`);
    expect(await a3sOk(['pool', 'status', '--format', '{{.CPUs}} {{.Memory}} {{.TTL}} {{.Taken}}'])).toBe(
      `2 512MiB 30m0s ${before + 1}\n1 128MiB never 1`,
    );
    const table = await a3sOk(['pool', 'status']);
    expect(table).toMatch(
      /^IMAGE +CPUS +MEMORY +SIZE +READY +WARMING +TAKEN +IDLE +TTL +PROBLEM\na3s\/base:latest +2 .*\na3s\/base:latest +1 .*$/,
    );
    const json = await a3sOk(['pool', 'ls', '--format', 'json']);
    for (const line of json.split('\n')) {
      expect(JSON.parse(line)).toMatchObject({ Image: 'a3s/base:latest' });
    }
    expect(await outcome(['pool', 'stop', 'docker.io/a3s/base'])).toEqual({
      status: 0,
      out: 'docker.io/a3s/base\n',
      err: '',
    });
    expect(await a3sOk(['pool', 'status', '--format', '{{.Image}}'])).toBe('');
  });

  test('that nobody uses ends after its time, and its keeper with it', async () => {
    await a3sOk(['pool', 'start', '--image', 'a3s/base', '--size', '1', '--ttl', '1s']);
    await quiet(home());
    expect(readdirSync(join(home(), 'boxes'))).toEqual([]);
    expect(readdirSync(join(home(), 'pool'))).toEqual([]);
  });

  test('has boxes of the image and the template as they are, and ends with the image', async () => {
    const image = 'pool/empty:1';
    const templates = (): string[] =>
      readdirSync(join(home(), 'templates')).filter((name) => name.startsWith('image-'));
    const before = templates();
    // The end of a tar archive, and nothing before it.
    expect((await a3s(['import', '-', image], { stdin: Buffer.alloc(1024) })).status).toBe(0);
    await a3sOk(['pool', 'start', '--image', image, '--size', '1', '--wait'], { deadlineMs: 120_000 });
    const [first] = readdirSync(join(home(), 'boxes'));
    const own = templates().filter((name) => !before.includes(name));
    expect(own).toHaveLength(1);
    rmSync(join(home(), 'templates', own[0] ?? ''), { recursive: true });
    await until(
      'a box of another template',
      async () => {
        const ids = await a3sOk(['pool', 'ls', '--format', '{{.ID}} {{.State}}']);
        return ids !== '' && !ids.includes(first ?? '') && ids.endsWith(' ready');
      },
      120_000,
    );
    // The tag moves, and the image that it was is gone before the keeper looks.
    await a3sOk(['tag', 'a3s/base', image]);
    await a3sOk(['image', 'prune', '-f']);
    const run = ['run', '--rm', image, 'echo', 'moved'];
    const moved = async (): Promise<boolean> => {
      const count = await taken();
      expect(await a3sOk(run)).toBe('moved');
      return (await taken()) > count;
    };
    await until('a box of the other image', moved, 60_000);
    await a3sOk(['rmi', image]);
    await quiet(home());
    expect(readdirSync(join(home(), 'boxes'))).toEqual([]);
  });

  test('is started by a run when A3S_BOX_POOL says how large it is to be', async () => {
    const env = { A3S_BOX_POOL: '1' };
    expect(await a3sOk(['run', '--rm', 'a3s/base', 'echo', 'cold'], { env })).toBe('cold');
    await full();
    expect(await a3sOk(['run', '--rm', 'a3s/base', 'echo', 'warm'], { env })).toBe('warm');
    expect(await taken()).toBe(1);
    expect(await a3sOk(['pool', 'status', '--format', '{{.Size}}'])).toBe('1');
  });

  test('refuses what it cannot be', async () => {
    const refusal = (err: string, status = 1) => ({ status, out: '', err: `${err}\n` });
    expect(await outcome(['pool', 'start'])).toEqual(refusal('name the image with --image'));
    expect(await outcome(['pool', 'start', '--image', 'a3s/base', '--size', '0'])).toEqual(
      refusal('Error response from daemon: a pool has 1 to 64 boxes, not 0'),
    );
    expect(await outcome(['pool', 'start', '--image', 'nosuch'])).toEqual(
      refusal(
        'Error response from daemon: No such image: nosuch:latest\n' +
          'Hint: `a3s-box images` lists what is there, `a3s-box pull` brings more',
      ),
    );
    const none = (name: string): string =>
      `Error response from daemon: there is no pool of ${name}\nHint: see: a3s-box pool status`;
    // With a keeper, which says so, and of several the others are stopped all the same.
    expect(await outcome(['pool', 'stop', 'nosuch', 'a3s/base', 'b@c'])).toEqual({
      status: 1,
      out: 'a3s/base\n',
      err: `${none('nosuch')}\ninvalid reference format\n`,
    });
    expect(await outcome(['pool', 'stop', 'nosuch'])).toEqual(refusal(none('nosuch')));
    expect(await outcome(['run', '--rm', 'a3s/base', 'true'], { env: { A3S_BOX_POOL: 'many' } })).toEqual(
      refusal(
        'a3s-box: Error response from daemon: A3S_BOX_POOL must be a number of boxes up to 64, not "many"\n\n' +
          "Run 'a3s-box run --help' for more information",
        125,
      ),
    );
  });

  test('stops at once, and leaves nothing; no run starts another one unasked', async () => {
    await a3sOk(['pool', 'start', '--image', 'a3s/base', '--size', '1']);
    expect(await outcome(['pool', 'stop'])).toEqual({ status: 0, out: '', err: '' });
    await quiet(home());
    expect(readdirSync(join(home(), 'boxes'))).toEqual([]);
    expect(readdirSync(join(home(), 'pool'))).toEqual([]);
    expect(JSON.parse(readFileSync(join(home(), 'boxes.json'), 'utf8'))).toMatchObject({ boxes: [] });
    expect(await a3sOk(['run', '--rm', 'a3s/base', 'echo', 'cold'])).toBe('cold');
    await quiet(home());
    expect(await a3sOk(['pool', 'status', '--format', '{{.Image}}'])).toBe('');
  });
});
