import { describe, expect, test } from 'vitest';

import { updateBoxes } from '../../src/state/boxes-file.ts';
import { layoutOf } from '../../src/state/layout.ts';
import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { home } from './fixture/home.ts';
import { processesNaming, signalTo } from './fixture/processes.ts';
import { recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('policy');

const state = (name: string): Promise<string> =>
  a3sOk(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}', name]);

/** Waits for `status exit-code count`. */
const reaches = (name: string, expected: string): Promise<boolean> =>
  until(`${name} as ${expected}`, async () => (await state(name)) === expected);

const run = (label: string, policy: string, ...command: string[]): Promise<string> =>
  boxes.detached(label, ['--restart', policy, 'a3s/base', ...command]);

/** Kills the box's monitor or its VM and returns the process. */
function strike(name: string, role: 'monitor' | 'vm'): void {
  const victim = processesNaming(recordOf(name).box_dir).find((each) => each.role === role);
  signalTo(victim?.pid, 'SIGKILL');
}

describe('a box that ends by itself', () => {
  test.each([
    ['no', 0, 'exited 0 0'],
    ['no', 1, 'exited 1 0'],
    ['on-failure', 0, 'exited 0 0'],
    ['on-failure:2', 0, 'exited 0 0'],
    ['on-failure:2', 1, 'exited 1 2'],
  ])('with %s and status %i comes to rest: %s', async (policy, code, expected) => {
    const name = await run('rest', policy, 'sh', '-c', `echo ran; exit ${code}`);
    await reaches(name, expected);
    expect(recordOf(name)).toMatchObject({ pid: null, stopped_by_user: false });
    const runs = Number(expected.split(' ').at(-1)) + 1;
    expect(await a3sOk(['logs', name])).toBe(Array(runs).fill('ran').join('\n'));
  });

  test.each([
    ['always', 0],
    ['always', 1],
    ['unless-stopped', 0],
    ['unless-stopped', 1],
    ['on-failure', 1],
  ])('with %s and status %i runs again and again, until it is stopped', async (policy, code) => {
    const name = await run('again', policy, 'sh', '-c', `exit ${code}`);
    await until('the third restart', () => recordOf(name).restart_count >= 3);
    expect(await a3s(['stop', name])).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
    expect(recordOf(name)).toMatchObject({ status: 'stopped', pid: null, stopped_by_user: true });
    await a3sOk(['start', name]);
    expect(recordOf(name).restart_count).toBeLessThan(3);
  });
});

const policies = ['no', 'always', 'unless-stopped', 'on-failure', 'on-failure:1'];

describe.each(policies)('a box with %s', (policy) => {
  const survives = policy !== 'no';

  test('stays stopped when a user stops it', async () => {
    const name = await run('stopped', policy, 'sleep', '1000');
    await a3sOk(['stop', '-t', '0', name]);
    expect(await state(name)).toBe('exited 137 0');
    expect(recordOf(name).stopped_by_user).toBe(true);
  });

  test('stays stopped when a user kills it', async () => {
    const name = await run('killed', policy, 'sleep', '1000');
    await a3sOk(['kill', name]);
    expect(await state(name)).toBe('exited 137 0');
  });

  test(`is ${survives ? 'started again' : 'dead'} when its VM crashes, with its files`, async () => {
    const name = await run('crash', policy, 'sleep', '1000');
    await a3sOk(['exec', name, 'sh', '-c', 'echo kept > /kept; sync']);
    strike(name, 'vm');
    await reaches(name, survives ? 'running 0 1' : 'dead 137 0');
    if (survives) expect(await a3sOk(['exec', name, 'cat', '/kept'])).toBe('kept');
  });

  test(`is ${survives ? 'started again' : 'dead'} by the next command when its monitor was killed`, async () => {
    const name = await run('lost', policy, 'sleep', '1000');
    const { pid } = recordOf(name);
    strike(name, 'monitor');
    await reaches(name, survives ? 'running 0 1' : 'dead 137 0');
    expect(recordOf(name).pid).not.toBe(pid);
    if (survives) expect(await a3s(['exec', name, 'true'])).toMatchObject({ status: 0, out: '', err: '' });
  });
});

test.each(policies)(
  'a box with %s stays stopped when its monitor is killed while a user stops it',
  async (policy) => {
    const name = await run('stopping', policy, 'sleep', '1000');
    const stop = new CliProcess(['stop', '-t', '60', name]);
    await until('the note of the stop', () => recordOf(name).stopped_by_user);
    strike(name, 'monitor');
    expect(await stop.ended).toMatchObject({ status: 0, out: `${name}\n`, err: '' });
    expect(recordOf(name)).toMatchObject({ status: 'stopped', pid: null, exit_code: 137, restart_count: 0 });
    expect(await state(name)).toBe('exited 137 0');
  },
);

describe('a box that waits for its restart', () => {
  /** One whose back-off has become a second. */
  async function waiting(): Promise<string> {
    const name = await run('waits', 'always', 'sh', '-c', 'exit 7');
    const waits = async (): Promise<boolean> =>
      recordOf(name).restart_count >= 4 && recordOf(name).status === 'restarting';
    await until('a long wait for the restart', waits);
    return name;
  }

  /**
   * Looks at such a box, which waits until the look is over: its monitor stands still meanwhile. It must not do so with the state's lock.
   * @returns its name
   */
  async function whileItWaits(look: (name: string) => Promise<void>): Promise<string> {
    const name = await waiting();
    const pid = await until('the wait to be held', () =>
      updateBoxes(layoutOf(home()), (boxes) => {
        const box = boxes.find((each) => each.name === name);
        if (box?.status !== 'restarting' || box.pid === null) return null;
        signalTo(box.pid, 'SIGSTOP');
        return box.pid;
      }),
    );
    try {
      await look(name);
    } finally {
      signalTo(pid, 'SIGCONT');
    }
    return name;
  }

  test('is shown as such, takes no command, and stops at once', async () => {
    const name = await whileItWaits(async (box) => {
      expect(await a3sOk(['ps', '--filter', `name=${box}`, '--format', '{{.State}} {{.Status}}'])).toMatch(
        /^restarting Restarting \(7\) (Less than a second|1 second|\d+ seconds) ago$/,
      );
      expect(await a3s(['exec', box, 'true'])).toMatchObject({
        status: 1,
        out: '',
        err: `Error response from daemon: Container ${recordOf(box).id} is restarting, wait until the container is running\n`,
      });
    });
    await a3sOk(['stop', name]);
    // 137 where it had begun again by then; test/unit/runtime/box-monitor.test.ts stops it while it waits.
    expect(await state(name)).toMatch(/^exited (7|137) /);
    expect(recordOf(name)).toMatchObject({ stopped_by_user: true, pid: null });
  });

  test('gives and takes its files meanwhile, and runs on', async () => {
    const name = await waiting();
    const { restart_count } = recordOf(name);
    expect(await a3s(['cp', 'package.json', `${name}:/brought`])).toMatchObject({ status: 0, out: '' });
    // Whether it waits, starts or runs just then.
    expect(await a3s(['diff', name])).toMatchObject({ status: 0, out: 'A /brought\n', err: '' });
    await until('the next restart', () => recordOf(name).restart_count > restart_count, 30_000);
  });

  test('is started at once by restart', async () => {
    const name = await waiting();
    await a3sOk(['restart', name]);
    expect(recordOf(name).restart_count).toBeLessThan(3);
  });

  test('is removed by rm -f alone', async () => {
    const name = await whileItWaits(async (box) => {
      expect(await a3s(['rm', box])).toMatchObject({
        status: 1,
        err: `Error response from daemon: cannot remove container "/${box}": container is restarting: stop the container before removing or force remove\n`,
      });
    });
    await a3sOk(['rm', '-f', name]);
  });

  test('is started by the next command when its monitor was killed', async () => {
    const name = await waiting();
    const { pid, restart_count } = recordOf(name);
    signalTo(pid, 'SIGKILL');
    await a3sOk(['ps']);
    expect(recordOf(name).pid).not.toBe(pid);
    expect(recordOf(name).restart_count).toBeGreaterThanOrEqual(restart_count);
  });
});

test('a box whose VM crashes more often than its policy restarts it is dead', async () => {
  const name = await run('crashes', 'on-failure:1', 'sleep', '1000');
  strike(name, 'vm');
  await reaches(name, 'running 0 1');
  strike(name, 'vm');
  await reaches(name, 'dead 137 1');
  expect(recordOf(name)).toMatchObject({ pid: null, stopped_by_user: false });
});

test('a restart keeps the log, and a follower sees it', async () => {
  const name = await run('log', 'on-failure:1', 'sh', '-c', 'echo one; sleep 1; exit 1');
  expect(await a3s(['logs', '-f', name])).toMatchObject({ status: 0, out: 'one\none\n' });
});

test('the caller of a run hears of its first end', async () => {
  const name = boxes.name('fore');
  const flags = ['--restart', 'always', '--name', name];
  expect(await a3s(['run', ...flags, 'a3s/base', 'sh', '-c', 'echo hi; exit 4'])).toMatchObject({
    status: 4,
    out: 'hi\n',
    err: '',
  });
  await until('the first restart', () => recordOf(name).restart_count >= 1);
});

test('a monitor that is told to go leaves its restart to the next command', async () => {
  const name = await run('term', 'always', 'sleep', '1000');
  const { pid } = recordOf(name);
  await a3sOk(['update', '--restart', 'unless-stopped', name]);
  signalTo(pid, 'SIGTERM');
  await until('the end of the monitor', () => recordOf(name).pid === null, 30_000);
  expect(recordOf(name)).toMatchObject({ status: 'restarting', restart_policy: 'unless-stopped' });
  await reaches(name, 'running 0 1');
});

test.each([
  [['--rm', '--restart', 'always'], 'conflicting options: cannot specify both --restart and --rm'],
  [['--restart', 'on-failure:x'], 'invalid restart policy format: maximum retry count must be an integer'],
  [
    ['--restart', 'sometimes'],
    "Error response from daemon: invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  ],
])('run %j is refused', async (flags, message) => {
  expect(await a3s(['run', ...flags, 'a3s/base', 'true'])).toMatchObject({
    status: 125,
    out: '',
    err: `a3s-box: ${message}\n\nRun 'a3s-box run --help' for more information\n`,
  });
});
