import { describe, expect, test } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('life');

const state = (name: string): Promise<string> =>
  a3sOk(['inspect', '-f', '{{.State.Status}} {{.State.Running}} {{.State.Pid}} {{.State.ExitCode}}', name]);
const logsOf = (name: string): Promise<string> => a3sOk(['logs', name]);
/** Waits until the workload has set its traps. */
const ready = (name: string): Promise<boolean> =>
  until(`"ready" in the logs of ${name}`, async () => /^ready$/m.test(await logsOf(name)));

describe('create and start', () => {
  test('create makes a box that start -a runs', async () => {
    const name = boxes.name('c1');
    const created = await a3s([
      'create',
      '--name',
      name,
      'a3s/base',
      'sh',
      '-c',
      'echo out; echo err >&2; exit 3',
    ]);
    expect(created).toMatchObject({ status: 0, out: `${recordOf(name).id}\n`, err: '' });
    expect(await state(name)).toBe('created false 0 0');
    expect(await a3s(['start', '-a', name])).toMatchObject({ status: 3, out: 'out\n', err: 'err\n' });
    expect(await state(name)).toBe('exited false 0 3');
  });

  test('start -a -i hands stdin over to a box created with -i', async () => {
    const name = boxes.name('i');
    await a3sOk(['create', '-i', '--name', name, 'a3s/base', 'cat']);
    expect(await a3s(['start', '-ai', name], { stdin: 'abc\n' })).toMatchObject({
      status: 0,
      out: 'abc\n',
      err: '',
    });
  });

  test('start prints the name as given, also for a box that runs', async () => {
    const name = boxes.name('again');
    await a3sOk(['create', '--name', name, 'a3s/base', 'sleep', '1000']);
    expect(await a3s(['start', name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
    const { pid } = recordOf(name);
    const short = recordOf(name).short_id;
    expect(await a3s(['start', short])).toMatchObject({ status: 0, out: `${short}\n`, err: '' });
    expect(recordOf(name).pid).toBe(pid);
  });

  test('a command that cannot be started leaves a created box that says why', async () => {
    const name = boxes.name('nocmd');
    await a3sOk(['create', '--name', name, 'a3s/base', 'nosuch']);
    const { status, out, err } = await a3s(['start', name]);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    const why =
      'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ' +
      'unable to start container process: exec: "nosuch": executable file not found in $PATH';
    expect(err).toBe(`Error response from daemon: ${why}\nError: failed to start containers: ${name}\n`);
    expect(await state(name)).toBe('created false 0 127');
    expect(await a3sOk(['inspect', '-f', '{{.State.Error}}', name])).toBe(why);
  });

  test("the box's writes survive stop and start", async () => {
    const name = boxes.name('writes');
    await a3sOk(['run', '-d', '--name', name, 'a3s/base', 'sh', '-c', 'cat /data/f; exec sleep 1000']);
    await a3sOk(['exec', name, 'sh', '-c', 'mkdir /data && echo kept > /data/f && rm /etc/profile']);
    await a3sOk(['stop', '-t', '0', name]);
    await a3sOk(['start', name]);
    expect(await a3sOk(['exec', name, 'sh', '-c', 'cat /data/f; ls /etc/profile 2>&1 || true'])).toBe(
      'kept\nls: /etc/profile: No such file or directory',
    );
  });

  test("the box's writes survive kill and start", async () => {
    const name = boxes.name('killed');
    await a3sOk(['run', '-d', '--name', name, 'a3s/base', 'sleep', '1000']);
    await a3sOk(['exec', name, 'sh', '-c', 'echo kept > /kept; sync']);
    await a3sOk(['kill', name]);
    await a3sOk(['start', name]);
    expect(await a3sOk(['exec', name, 'cat', '/kept'])).toBe('kept');
  });
});

describe('stop', () => {
  test('lets a workload that handles TERM end by itself', async () => {
    const script = 'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.1; done';
    const name = await boxes.detached('term', ['a3s/base', 'sh', '-c', script]);
    await ready(name);
    const { status, out, err, ms } = await a3s(['stop', name]);
    expect({ status, out, err }).toEqual({ status: 0, out: `${name}\n`, err: '' });
    // The grace.
    expect(ms).toBeLessThan(10_000);
    expect(await state(name)).toBe('exited false 0 0');
    expect(await logsOf(name)).toBe('ready\nbye');
    expect(recordOf(name)).toMatchObject({ status: 'stopped', pid: null, stopped_by_user: true });
  });

  test('kills a workload that ignores TERM once the grace has passed', async () => {
    const name = await boxes.detached('deaf', ['a3s/base', 'sleep', '1000']);
    const { status, out, ms } = await a3s(['stop', '-t', '1', name]);
    expect({ status, out }).toEqual({ status: 0, out: `${name}\n` });
    expect(ms).toBeGreaterThanOrEqual(1000);
    // The grace of who asks for none.
    expect(ms).toBeLessThan(10_000);
    expect(await state(name)).toBe('exited false 0 137');
  });

  test('-s sends another signal', async () => {
    const script = 'trap "exit 11" USR1; echo ready; while :; do sleep 0.1; done';
    const name = await boxes.detached('usr1', ['a3s/base', 'sh', '-c', script]);
    await ready(name);
    expect(await a3s(['stop', '-s', 'usr1', name])).toMatchObject({ status: 0, out: `${name}\n` });
    expect(await state(name)).toBe('exited false 0 11');
  });

  test('sends what --stop-signal says, and waits as long as --stop-timeout', async () => {
    const script = 'trap "exit 12" USR1; trap "" USR2; echo ready; while :; do sleep 0.1; done';
    const flags = (signal: string): string[] => ['--stop-signal', signal, '--stop-timeout', '1'];
    const obeys = await boxes.detached('obeys', [...flags('USR1'), 'a3s/base', 'sh', '-c', script]);
    const defies = await boxes.detached('defies', [...flags('USR2'), 'a3s/base', 'sh', '-c', script]);
    await Promise.all([ready(obeys), ready(defies)]);
    await a3sOk(['stop', obeys]);
    expect(await state(obeys)).toBe('exited false 0 12');
    const { ms } = await a3s(['stop', defies]);
    expect(ms).toBeGreaterThanOrEqual(1000);
    expect(await state(defies)).toBe('exited false 0 137');
  });

  test('takes the grace as --time as well, as docker does', async () => {
    const name = await boxes.detached('time', [
      'a3s/base',
      'sh',
      '-c',
      'trap "" TERM; while :; do sleep 1; done',
    ]);
    expect(await a3s(['stop', '--time', '0', name])).toMatchObject({ status: 0, out: `${name}\n` });
    expect(await state(name)).toBe('exited false 0 137');
  });

  test('of a box that does not run is no failure', async () => {
    const name = boxes.name('idle');
    await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
    expect(await a3s(['stop', name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
    expect(await state(name)).toBe('created false 0 0');
  });

  test('removes a box that was run with --rm', async () => {
    const name = await boxes.detached('rm', ['--rm', 'a3s/base', 'sleep', '1000']);
    await a3sOk(['stop', '-t', '0', name]);
    expect(await a3sOk(['ps', '-aq', '--filter', `name=${name}`])).toBe('');
  });
});

describe('kill', () => {
  test('takes a signal by any of its names and by number', async () => {
    const script = 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.1; done';
    const name = await boxes.detached('names', ['a3s/base', 'sh', '-c', script]);
    await ready(name);
    for (const [index, signal] of ['USR1', 'SIGUSR1', 'usr1', 'sigusr1', '10'].entries()) {
      expect(await a3s(['kill', '-s', signal, name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
      const expected = `ready\n${'usr1\n'.repeat(index + 1)}`;
      await until(`the answer to ${signal}`, async () => `${await logsOf(name)}\n` === expected);
    }
    expect(await state(name)).toMatch(/^running true [1-9]\d* 0$/);
  });

  test('refuses an unknown signal', async () => {
    const name = await boxes.detached('unknown', ['a3s/base', 'sleep', '1000']);
    expect(await a3s(['kill', '-s', 'NOSUCH', name])).toMatchObject({
      status: 1,
      out: '',
      err: 'Error response from daemon: invalid signal: NOSUCH\n',
    });
    expect(await state(name)).toMatch(/^running /);
  });

  test('kills by default', async () => {
    const name = await boxes.detached('kill', ['a3s/base', 'sleep', '1000']);
    expect(await a3s(['kill', name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
    expect(await state(name)).toBe('exited false 0 137');
  });

  test('of a box that does not run fails', async () => {
    const name = boxes.name('idle');
    const id = await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
    expect(await a3s(['kill', name])).toMatchObject({
      status: 1,
      out: '',
      err: `Error response from daemon: cannot kill container: ${name}: container ${id} is not running\n`,
    });
  });
});

describe('rm', () => {
  test('refuses a box that runs; -f removes it', async () => {
    const name = await boxes.detached('running', ['a3s/base', 'sleep', '1000']);
    const refused = await a3s(['rm', name]);
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toMatch(
      new RegExp(
        `^Error response from daemon: cannot remove container "/?${name}": container is running: stop the container before removing or force remove\n`,
      ),
    );
    expect(await state(name)).toMatch(/^running /);
    expect(await a3s(['rm', '-f', name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
    expect(await a3sOk(['ps', '-aq', '--filter', `name=${name}`])).toBe('');
  });

  test('of a box that is not there fails; -f forgives it', async () => {
    const err = 'Error response from daemon: No such container: nosuch\n';
    expect(await a3s(['rm', 'nosuch'])).toMatchObject({ status: 1, out: '', err });
    expect(await a3s(['rm', '-f', 'nosuch'])).toMatchObject({ status: 0, out: '', err });
  });
});

describe('a command on several boxes of which one fails', () => {
  test.each([
    ['start', 'Error: failed to start containers: nosuch\n'],
    ['stop', ''],
    ['rm', ''],
  ])('%s does the rest and exits 1', async (verb, summary) => {
    const [first, second] = [boxes.name('first'), boxes.name('second')];
    await a3sOk(['create', '--name', first, 'a3s/base', 'true']);
    await a3sOk(['create', '--name', second, 'a3s/base', 'true']);
    expect(await a3s([verb, first, 'nosuch', second])).toMatchObject({
      status: 1,
      out: `${first}\n${second}\n`,
      err: `Error response from daemon: No such container: nosuch\n${summary}`,
    });
  });

  test('kill does the rest and exits 1', async () => {
    const first = await boxes.detached('first', ['a3s/base', 'sleep', '1000']);
    const second = await boxes.detached('second', ['a3s/base', 'sleep', '1000']);
    expect(await a3s(['kill', first, 'nosuch', second])).toMatchObject({
      status: 1,
      out: `${first}\n${second}\n`,
      err: 'Error response from daemon: No such container: nosuch\n',
    });
  });
});
