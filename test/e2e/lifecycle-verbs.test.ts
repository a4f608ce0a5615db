import { describe, expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { home } from './fixture/home.ts';
import { processesNaming } from './fixture/processes.ts';
import { readBoxesFile, recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('verbs');
/** A workload goes on once somebody makes the file. */
const GATE = 'until test -e /go; do sleep 0.1; done';
const NO_SUCH = 'Error response from daemon: No such container: nosuch\n';

const state = (name: string): Promise<string> =>
  a3sOk(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name]);

describe('restart', () => {
  test('runs a box again, in the same monitor, with its files and its log', async () => {
    const script = 'trap "exit 0" TERM; cat /kept; echo run; while :; do sleep 0.1; done';
    const name = await boxes.detached('again', ['a3s/base', 'sh', '-c', `echo kept >> /kept; ${script}`]);
    await until('its first words', async () => (await a3sOk(['logs', name])) === 'kept\nrun');
    const before = recordOf(name);
    expect(await a3s(['restart', name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
    await until('both', async () => (await a3sOk(['logs', name])) === 'kept\nrun\nkept\nkept\nrun');
    expect(recordOf(name)).toMatchObject({ status: 'running', pid: before.pid, restart_count: 0 });
    expect(Date.parse(recordOf(name).started_at ?? '')).toBeGreaterThan(Date.parse(before.started_at ?? ''));
    expect(
      processesNaming(before.box_dir)
        .map(({ role }) => role)
        .toSorted(),
    ).toEqual(['monitor', 'vm']);
  });

  test('starts a box that does not run, and does the rest when one fails', async () => {
    const [created, stopped] = [boxes.name('created'), boxes.name('stopped')];
    await a3sOk(['create', '--name', created, 'a3s/base', 'sleep', '1000']);
    await a3sOk(['run', '--name', stopped, 'a3s/base', 'true']);
    expect(await a3s(['container', 'restart', created, 'nosuch', stopped])).toMatchObject({
      status: 1,
      out: `${created}\n${stopped}\n`,
      err: NO_SUCH,
    });
    expect(await state(created)).toBe('running 0');
    await until('the end', async () => (await state(stopped)) === 'exited 0');
  });

  test('does not remove a box with --rm, and keeps its files', async () => {
    const name = await boxes.detached('rm', ['--rm', 'a3s/base', 'sleep', '1000']);
    await a3sOk(['exec', name, 'sh', '-c', 'echo kept > /kept']);
    await a3sOk(['restart', '-t', '0', name]);
    expect(await a3sOk(['exec', name, 'cat', '/kept'])).toBe('kept');
    await a3sOk(['stop', '-t', '0', name]);
    expect(await a3sOk(['ps', '-aq', '--filter', `name=${name}`])).toBe('');
  });

  test('sends the signal and waits as long as it is told', async () => {
    const script = 'trap "echo usr1; exit 0" USR1; echo ready; while :; do sleep 0.1; done';
    const name = await boxes.detached('usr1', ['a3s/base', 'sh', '-c', script]);
    await until('its trap', async () => (await a3sOk(['logs', name])) === 'ready');
    await a3sOk(['restart', '-s', 'USR1', '-t', '20', name]);
    await until('both', async () => (await a3sOk(['logs', name])) === 'ready\nusr1\nready');
    const { ms } = await a3s(['restart', '--timeout', '1', name]);
    expect(ms).toBeGreaterThanOrEqual(1000);
    expect(await a3s(['restart', '-s', 'NOSUCH', name])).toMatchObject({
      status: 1,
      out: '',
      err: 'Error response from daemon: invalid signal: NOSUCH\n',
    });
  });

  test('of a box with published ports takes them again', async () => {
    const name = await boxes.detached('port', ['-p', '8080', 'a3s/base', 'sleep', '1000']);
    await a3sOk(['restart', '-t', '0', name]);
    expect(await a3sOk(['port', name, '8080'])).toMatch(/^0\.0\.0\.0:[1-9]\d+$/);
  });
});

describe('wait', () => {
  test('prints exit statuses in the order of the names, once there are any', async () => {
    const slow = await boxes.detached('slow', ['a3s/base', 'sh', '-c', 'sleep 2; exit 5']);
    const done = boxes.name('done');
    await a3s(['run', '--name', done, 'a3s/base', 'sh', '-c', 'exit 3']);
    expect(await a3s(['wait', slow, 'nosuch', done])).toMatchObject({
      status: 1,
      out: '5\n3\n',
      err: NO_SUCH,
    });
    expect(await state(slow)).toBe('exited 5');
  });

  test('tells of a box that is killed, and of one that is removed', async () => {
    const killed = await boxes.detached('killed', ['a3s/base', 'sleep', '1000']);
    const removed = await boxes.detached('removed', ['--rm', 'a3s/base', 'sh', '-c', `${GATE}; exit 6`]);
    const waits = new CliProcess(['container', 'wait', killed, removed]);
    await a3sOk(['kill', killed]);
    // Both have been looked up, at the same time.
    await waits.says(/^137\n$/);
    await a3sOk(['exec', '-d', removed, 'touch', '/go']);
    expect(await waits.ended).toMatchObject({ status: 0, out: '137\n6\n', err: '' });
  });

  test('tells of the next end of a box that runs again', async () => {
    const flags = ['--restart', 'always'];
    const name = await boxes.detached('policy', [...flags, 'a3s/base', 'sh', '-c', 'sleep 2; exit 8']);
    expect(await a3s(['wait', name])).toMatchObject({ status: 0, out: '8\n', err: '' });
  });

  test('of a box that never ran prints 0', async () => {
    const name = boxes.name('created');
    await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
    expect(await a3s(['wait', name])).toMatchObject({ status: 0, out: '0\n', err: '' });
  });
});

describe('rename', () => {
  test('gives a running box another name', async () => {
    const name = await boxes.detached('old', ['a3s/base', 'sleep', '1000']);
    const other = boxes.name('new');
    expect(await a3s(['rename', name, other])).toMatchObject({ status: 0, out: '', err: '' });
    expect(await a3sOk(['exec', other, 'echo', 'hi'])).toBe('hi');
    expect(await a3s(['exec', name, 'true'])).toMatchObject({ status: 1 });
    expect(await a3s(['container', 'rename', other, other])).toMatchObject({
      status: 1,
      out: '',
      err:
        'Error response from daemon: Renaming a container with the same name as its current name\n' +
        `Error: failed to rename container named ${other}\n`,
    });
  });
});

describe('update', () => {
  test('changes the policy of a running box, which holds at its next end', async () => {
    const name = await boxes.detached('policy', ['a3s/base', 'sh', '-c', `${GATE}; exit 1`]);
    expect(await a3s(['update', '--restart', 'on-failure:1', name, 'nosuch'])).toMatchObject({
      status: 1,
      out: `${name}\n`,
      err: NO_SUCH,
    });
    await a3sOk(['exec', '-d', name, 'touch', '/go']);
    await until(
      'the second end',
      () => recordOf(name).status === 'stopped' && recordOf(name).restart_count === 1,
    );
  });

  test('gives a running box less at once, and a stopped one anything', async () => {
    const name = await boxes.detached('size', ['-m', '128m', '--cpus', '1', 'a3s/base', 'sleep', '1000']);
    const { id } = recordOf(name);
    // One buffer of that size.
    const takes = (size: string) =>
      a3s(['exec', name, 'dd', 'if=/dev/zero', 'of=/dev/null', `bs=${size}`, 'count=1']);
    expect(await takes('80M')).toMatchObject({ status: 0 });
    expect(await a3s(['update', '-m', '64m', '--cpus', '0.5', name])).toMatchObject({
      status: 0,
      out: `${name}\n`,
      err: '',
    });
    expect(await takes('80M')).toMatchObject({ status: 137 });
    expect(await a3sOk(['exec', name, 'cat', '/sys/fs/cgroup/cpu.max'])).toBe('50000 100000');
    expect(await a3s(['update', '-m', '128m', name])).toMatchObject({ status: 0, err: '' });
    for (const [flag, size, has] of [
      ['-m', '256m', '128 MiB of memory'],
      ['--cpus', '2', '1 processors'],
    ] as const) {
      expect(await a3s(['update', flag, size, name])).toMatchObject({
        status: 1,
        out: '',
        err:
          `Error response from daemon: Cannot update container ${id}: its virtual machine was started with ${has}\n` +
          'Hint: stop the box to give it more\n',
      });
    }
    await a3sOk(['exec', name, 'sh', '-c', 'echo kept > /kept; sync']);
    await a3sOk(['stop', '-t', '0', name]);
    expect(await a3s(['container', 'update', '-m', '256m', '--cpus', '2', name])).toMatchObject({
      status: 0,
      out: `${name}\n`,
      err: '',
    });
    await a3sOk(['start', name]);
    expect(await a3sOk(['exec', name, 'sh', '-c', 'cat /kept; nproc'])).toBe('kept\n2');
    expect(await a3sOk(['inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}', name])).toBe(
      '268435456 2000000000',
    );
  });

  test('gives a box other limits of its control group, running or not, and takes them away', async () => {
    const name = await boxes.detached('limits', ['a3s/base', 'sleep', '1000']);
    const limits = async (): Promise<string> =>
      a3sOk(['exec', name, 'sh', '-c', 'cd /sys/fs/cgroup; cat cpu.max pids.max memory.low']);
    const flags = ['--cpu-period', '50000', '--cpu-quota', '75000', '--pids-limit', '50'];
    const memory = ['--memory-reservation', '64m', '-m', '512m', '--memory-swap', '512m'];
    expect(await a3s(['update', ...flags, ...memory, name])).toMatchObject({
      status: 0,
      out: `${name}\n`,
      err: '',
    });
    expect(await limits()).toBe('150000 100000\n50\n67108864');
    const format = '{{.HostConfig.CpuQuota}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}}';
    expect(await a3sOk(['inspect', '-f', format, name])).toBe('75000 536870912 50');
    // Still of two processors, so that the machine is one that is there.
    await a3sOk(['restart', '-t', '0', name]);
    expect(await limits()).toBe('150000 100000\n50\n67108864');
    await a3sOk(['update', '--pids-limit', '-1', '--memory-reservation', '0', '--cpus', '2', name]);
    expect(await limits()).toBe('200000 100000\n4194304\n0');
    expect(await a3s(['update', '--cpu-shares', '512', name])).toMatchObject({
      status: 125,
      out: '',
      err: '--cpu-shares is not supported: nothing competes with the workload for the CPUs of its VM; limit it with --cpus\n',
    });
  });

  test.each([
    [[], 1, 'you must provide one or more flags when using this command\n'],
    [['--restart', ':1'], 1, 'invalid restart policy format: no policy provided before colon\n'],
    [['-m', '1m'], 1, 'Error response from daemon: Minimum memory limit allowed is 64MB\n'],
  ])('with %j is refused', async (flags, status, err) => {
    const name = boxes.name('refused');
    await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
    expect(await a3s(['update', ...flags, name])).toMatchObject({ status, out: '', err });
  });
});

describe('container prune', () => {
  test('removes what does not run, after a question', async () => {
    const up = await boxes.detached('up', ['--label', 'prune', 'a3s/base', 'sleep', '1000']);
    const [done, kept] = [boxes.name('done'), boxes.name('kept')];
    await a3sOk(['run', '--name', done, '--label', 'prune', 'a3s/base', 'true']);
    await a3sOk(['create', '--name', kept, '--label', 'prune', '--label', 'keep', 'a3s/base', 'true']);
    const flags = ['--filter', 'label=prune', '--filter', 'label!=keep'];
    const { id } = recordOf(done);
    const question =
      'WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ';
    expect(await a3s(['container', 'prune', ...flags], { stdin: 'n\n' })).toMatchObject({
      status: 0,
      out: question,
      err: '',
    });
    const early = ['--filter', 'until=1h', '-f'];
    expect(await a3s(['container', 'prune', ...flags, ...early])).toMatchObject({
      status: 0,
      out: 'Total reclaimed space: 0B\n',
      err: '',
    });
    const pruned = await a3s(['container', 'prune', ...flags], { stdin: 'y\n' });
    expect(pruned).toMatchObject({ status: 0, err: '' });
    expect(pruned.out).toMatch(
      new RegExp(
        `^WARNING!.*\\[y/N\\] Deleted Containers:\n${id}\n\nTotal reclaimed space: [\\d.]+[kM]B\n$`,
        's',
      ),
    );
    const left = readBoxesFile(home()).map((box) => box.name);
    expect([up, kept].every((name) => left.includes(name))).toBe(true);
    expect(left).not.toContain(done);
  });

  test('refuses a filter that it does not know', async () => {
    expect(await a3s(['container', 'prune', '-f', '--filter', 'name=x'])).toMatchObject({
      status: 1,
      out: '',
      err: "Error response from daemon: invalid filter 'name'\n",
    });
  });
});

describe('port', () => {
  test('lists mappings, or where one port is', async () => {
    const ports = ['-p', '80', '-p', '127.0.0.1::9000/udp'];
    const name = await boxes.detached('list', [...ports, 'a3s/base', 'sleep', '1000']);
    expect(await a3sOk(['port', name])).toMatch(/^80\/tcp -> 0\.0\.0\.0:\d+\n9000\/udp -> 127\.0\.0\.1:\d+$/);
    expect(await a3sOk(['container', 'port', name, '80'])).toMatch(/^0\.0\.0\.0:\d+$/);
    expect(await a3sOk(['port', name, '9000/udp'])).toMatch(/^127\.0\.0\.1:\d+$/);
    for (const port of ['81', '9000']) {
      expect(await a3s(['port', name, port])).toMatchObject({
        status: 1,
        out: '',
        err: `Error: No public port '${port}' published for ${name}\n`,
      });
    }
    expect(await a3s(['port', name, 'x'])).toMatchObject({
      status: 1,
      err: 'Error: invalid port (x): strconv.ParseUint: parsing "x": invalid syntax\n',
    });
    expect(await a3s(['port', 'nosuch'])).toMatchObject({ status: 1, out: '', err: NO_SUCH });
  });

  test('prints nothing for a box without any', async () => {
    const name = boxes.name('none');
    await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
    expect(await a3s(['port', name])).toMatchObject({ status: 0, out: '', err: '' });
  });
});
