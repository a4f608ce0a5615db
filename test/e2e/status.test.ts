import { describe, expect, test, beforeAll } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { inBatches } from './fixture/batches.ts';

const boxes = boxesOf('status');

describe('the exit status of run', () => {
  test.each([0, 1, 2, 77, 125, 126, 127, 128, 200, 255])('is that of the workload: %i', async (wanted) => {
    const { status, out, err } = await a3s(['run', '--rm', 'a3s/base', 'sh', '-c', `exit ${wanted}`]);
    expect({ status, out, err }).toEqual({ status: wanted, out: '', err: '' });
  });

  test.each([
    ['/etc', 126, 'exec: "/etc": permission denied'],
    ['/etc/passwd', 126, 'exec: "/etc/passwd": permission denied'],
    ['nosuch', 127, 'exec: "nosuch": executable file not found in $PATH'],
    ['/no/such', 127, 'exec: "/no/such": stat /no/such: no such file or directory'],
  ])('of the command %s is %i', async (command, wanted, words) => {
    expect(await a3s(['run', '--rm', 'a3s/base', command])).toMatchObject({
      status: wanted,
      out: '',
      err:
        'a3s-box: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create ' +
        `failed: runc create failed: unable to start container process: ${words}\n\nRun 'a3s-box run --help' for more information\n`,
    });
  });

  test.each([
    ['KILL', 137],
    ['TERM', 143],
    ['SEGV', 139],
  ])('is 128 + n when the workload dies of a signal: %s', async (signal, wanted) => {
    // Under --init, because a process that is PID 1 itself ignores these.
    const { status, err } = await a3s([
      'run',
      '--rm',
      '--init',
      'a3s/base',
      'sh',
      '-c',
      `kill -${signal} $$; sleep 60`,
    ]);
    expect({ status, err }).toEqual({ status: wanted, err: '' });
  });

  test('is 137 after kill, and 137 for a child killed inside', async () => {
    const name = boxes.name('killed');
    const run = a3s(['run', '--name', name, 'a3s/base', 'sh', '-c', 'sleep 60 & kill -9 $!; wait $!']);
    expect(await run).toMatchObject({ status: 137 });
    expect(await a3sOk(['inspect', '-f', '{{.State.ExitCode}} {{.State.OOMKilled}}', name])).toBe(
      '137 false',
    );
  });

  test.each([
    ['512m', '560M'],
    ['64m', '80M'],
  ])('is 137 when a box of %s runs out of memory, and says so', async (memory, buffer) => {
    const name = boxes.name('oom');
    const greedy = ['dd', 'if=/dev/zero', 'of=/dev/null', 'count=1', `bs=${buffer}`];
    const { status, out, err } = await a3s(['run', '--name', name, '-m', memory, 'a3s/base', ...greedy]);
    expect({ status, out }).toEqual({ status: 137, out: '' });
    expect(err).toMatch(/out of memory/);
    const state = ['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}', name];
    expect(await a3sOk(state)).toBe('exited 137 true');
  });
});

describe('the exit status of exec', () => {
  const box = boxes.shared('exec');
  beforeAll(async () => {
    await a3sOk(['run', '-d', '--name', box, 'a3s/base', 'sleep', '10000']);
  });

  test('is that of the command, each of 0 to 255', async () => {
    const all = Array.from({ length: 256 }, (_, status) => status);
    const statuses = await inBatches(all, 4, async (wanted) => {
      const { status, out, err } = await a3s(['exec', box, 'sh', '-c', `exit ${wanted}`]);
      return { status, out, err };
    });
    expect(statuses).toEqual(all.map((status) => ({ status, out: '', err: '' })));
  });

  test.each([
    ['/etc', 126, 'exec: "/etc": permission denied'],
    ['nosuch', 127, 'exec: "nosuch": executable file not found in $PATH'],
    ['/no/such', 127, 'exec: "/no/such": stat /no/such: no such file or directory'],
  ])('of the command %s is %i', async (command, wanted, words) => {
    expect(await a3s(['exec', box, command])).toMatchObject({
      status: wanted,
      out: `OCI runtime exec failed: exec failed: unable to start container process: ${words}\r\n`,
      err: '',
    });
  });

  test.each([
    ['KILL', 137],
    ['TERM', 143],
    ['HUP', 129],
    ['ABRT', 134],
  ])('is 128 + n when the command dies of a signal: %s', async (signal, wanted) => {
    const { status, out, err } = await a3s(['exec', box, 'sh', '-c', `kill -${signal} $$; sleep 60`]);
    expect({ status, out, err }).toEqual({ status: wanted, out: '', err: '' });
  });
});
