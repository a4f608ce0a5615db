/** Who hears what, and when, as a box ends and begins again. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import { holdBox, pauseBox, restartBox, stopBox, waitForBox } from '../../../src/runtime/control-client.ts';
import { BackOff } from '../../../src/runtime/monitor/back-off.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import { parseEvent } from '../../../src/state/journal.ts';
import { boxPaths, type Layout } from '../../../src/state/layout.ts';
import { withLock } from '../../../src/state/lock.ts';
import type { BoxRecord } from '../../../src/state/record.ts';
import { scriptedBox } from './fixture/scripted-run.ts';

const TERM = { signal: 15, timeoutSeconds: -1 };
const KILL = { signal: 9, timeoutSeconds: 0 };

const recordIn = async (layout: Layout): Promise<BoxRecord | undefined> => (await readBoxes(layout))[0];

function actions(layout: Layout): (string | undefined)[] {
  const lines = readFileSync(layout.eventsFile, 'utf8').trimEnd().split('\n');
  return lines.map((line) => parseEvent(line)?.action).filter((action) => action !== 'create');
}

/** Holds the state until it is released; resolves once it is held. */
async function holdState({ boxesLock }: Layout): Promise<() => Promise<void>> {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const hold = async (): Promise<void> => {
    held.resolve();
    await released.promise;
  };
  const done = withLock(boxesLock, hold, { timeoutMs: 10_000 });
  await held.promise;
  return async () => {
    released.resolve();
    await done;
  };
}

/** The box's next restart is not due within the test. */
function restartsLate(): void {
  const next = vi.spyOn(BackOff.prototype, 'next').mockReturnValue(60_000);
  onTestFinished(() => next.mockRestore());
}

/** Whatever was sent before over another connection has arrived. */
async function delivered(record: BoxRecord): Promise<void> {
  // A pause of what has ended is answered at once.
  await pauseBox(record, true).catch(() => {});
}

test('who waits for the end hears of it when the record says so, who restarts when it runs again', async () => {
  const { engine, record, run, over } = await scriptedBox({});
  const first = await run(0);
  await first.starts();
  const heard: unknown[] = [];
  const note = async (who: string): Promise<void> => {
    heard.push([who, (await recordIn(engine.layout))?.status]);
  };
  const waited = waitForBox(record).then(() => note('wait'));
  const restarted = restartBox(record, TERM).then(() => note('restart'));
  await expect.poll(() => first.signals).toEqual([15]);
  first.ends(143);
  await waited;
  const second = await run(1);
  await second.starts();
  await restarted;
  expect(heard).toEqual([
    ['wait', 'restarting'],
    ['restart', 'running'],
  ]);
  const stopped = stopBox(record, KILL);
  await stopped;
  await over;
  expect(await recordIn(engine.layout)).toMatchObject({
    status: 'stopped',
    exit_code: 137,
    restart_count: 0,
  });
  expect(actions(engine.layout)).toEqual(['start', 'die', 'stop', 'start', 'kill', 'die', 'stop']);
});

test('a restart that comes while the start is written down is one of the workload that has started', async () => {
  const { engine, record, run, over } = await scriptedBox({});
  const first = await run(0);
  const release = await holdState(engine.layout);
  const started = first.starts();
  await expect.poll(() => existsSync(boxPaths(record.box_dir).controlSocket)).toBe(true);
  const restarted = restartBox(record, TERM);
  await expect.poll(() => first.signals).toEqual([15]);
  await release();
  await started;
  first.ends(143);
  const second = await run(1);
  await second.starts();
  await restarted;
  await stopBox(record, KILL);
  await over;
});

test('a stop that comes while the start is written down gives its grace', async () => {
  const { engine, record, run, over } = await scriptedBox({});
  const first = await run(0);
  const release = await holdState(engine.layout);
  const started = first.starts();
  await expect.poll(() => existsSync(boxPaths(record.box_dir).controlSocket)).toBe(true);
  const stopped = stopBox(record, TERM);
  await expect.poll(() => first.signals).toEqual([15]);
  await release();
  await started;
  expect(first.signals).toEqual([15]);
  first.ends(0);
  await stopped;
  await over;
});

test('a stop that comes after a restart undoes it, and both are told of the end', async () => {
  const { engine, record, run, over } = await scriptedBox({});
  const first = await run(0);
  await first.starts();
  const restarted = restartBox(record, TERM);
  await expect.poll(() => first.signals).toEqual([15]);
  await stopBox(record, KILL);
  await restarted;
  await over;
  expect(await recordIn(engine.layout)).toMatchObject({ status: 'stopped', stopped_by_user: true });
});

test('a restart that comes while a due one is given up is told at once that the box does not run', async () => {
  restartsLate();
  const { engine, record, run, over } = await scriptedBox({ restart_policy: 'always' });
  const first = await run(0);
  await first.starts();
  first.ends(1);
  await run(1);
  const release = await holdState(engine.layout);
  const stopped = stopBox(record, TERM);
  await delivered(record);
  const restarted = restartBox(record, TERM);
  await expect(restarted).rejects.toMatchObject({ code: 'box_not_running' });
  await release();
  await stopped;
  await over;
  expect(await recordIn(engine.layout)).toMatchObject({
    status: 'stopped',
    stopped_by_user: true,
    pid: null,
  });
});

test('the stop of a restart is an event once, and not of the next end', async () => {
  const vm = Promise.withResolvers<void>();
  const { engine, record, run, over } = await scriptedBox(
    { restart_policy: 'on-failure:1' },
    { released: vm.promise },
  );
  const first = await run(0);
  await first.starts();
  first.ends(1);
  const restarted = restartBox(record, TERM);
  await delivered(record);
  vm.resolve();
  const second = await run(1);
  await second.starts();
  await restarted;
  second.ends(0);
  await over;
  expect(actions(engine.layout)).toEqual(['start', 'die', 'stop', 'start', 'die']);
});

test('a stop of a box that waits for its restart is an event, and the box keeps the end it had', async () => {
  restartsLate();
  const { engine, record, run, over } = await scriptedBox({ restart_policy: 'always' });
  const first = await run(0);
  await first.starts();
  first.ends(1);
  await run(1);
  await stopBox(record, TERM);
  await over;
  expect(actions(engine.layout)).toEqual(['start', 'die', 'stop']);
  expect(await recordIn(engine.layout)).toMatchObject({ status: 'stopped', exit_code: 1 });
});

test('a monitor whose box has ended leaves the sockets of the next one alone', async () => {
  const { record, run, over } = await scriptedBox(
    {},
    // The record is idle by then: another command may have started the box.
    { told: ({ box_dir }) => mkdirSync(dirname(boxPaths(box_dir).controlSocket)) },
  );
  const first = await run(0);
  await first.starts();
  first.ends(0);
  await over;
  expect(existsSync(dirname(boxPaths(record.box_dir).controlSocket))).toBe(true);
});

test('a workload that has been sent KILL is not paused any more', async () => {
  const { record, run, over } = await scriptedBox({});
  const first = await run(0);
  await first.starts();
  first.isDying = true;
  await expect(pauseBox(record, true)).rejects.toMatchObject({ code: 'box_not_running' });
  expect(first.isPaused).toBe(false);
  first.ends(137);
  await over;
});

test('of two that pause a box, or let it go on, one is told that it is so already', async () => {
  const { record, run, over } = await scriptedBox({});
  const first = await run(0);
  await first.starts();
  for (const [on, refusal] of [
    [true, 'already'],
    [false, 'not'],
  ] as const) {
    const both = await Promise.allSettled([pauseBox(record, on), pauseBox(record, on)]);
    const refused = both.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { message: `Container ${record.id} is ${refusal} paused` } }]);
  }
  first.ends(0);
  await over;
});

test('a box that was paused in its grace goes on to be killed', async () => {
  const { engine, record, run, over } = await scriptedBox({});
  const first = await run(0);
  await first.starts();
  const kill = Promise.withResolvers<void>();
  first.killAfter = (_graceMs, killing) => void kill.promise.then(killing).then(() => first.ends(137));
  const stopped = stopBox(record, { signal: 15, timeoutSeconds: 10 });
  await expect.poll(() => first.signals).toEqual([15]);
  await pauseBox(record, true);
  expect(await recordIn(engine.layout)).toMatchObject({ status: 'paused' });
  kill.resolve();
  await stopped;
  await over;
  expect(first.isPaused).toBe(false);
  expect(actions(engine.layout)).toEqual(['start', 'pause', 'kill', 'unpause', 'die', 'stop']);
});

describe('a box that waits for its restart', () => {
  /** Held, with its second run ready to begin. */
  async function held() {
    restartsLate();
    const box = await scriptedBox({ restart_policy: 'always' });
    const first = await box.run(0);
    await first.starts();
    first.ends(7);
    const second = await box.run(1);
    let hasBegun = false;
    void second.begun.then(() => (hasBegun = true));
    const hold = await holdBox(box.record);
    if (hold === null) throw new Error('it does not wait');
    return { ...box, second, hold, hasBegun: () => hasBegun };
  }

  test('does not run while somebody uses its files, however soon it is due', async () => {
    const { record, over, second, hold, hasBegun } = await held();
    const restarted = restartBox(record, TERM);
    await delivered(record);
    expect(hasBegun()).toBe(false);
    hold[Symbol.dispose]();
    await second.starts();
    await restarted;
    // Its files are the running box's now.
    expect(await holdBox(record)).toBeNull();
    await stopBox(record, KILL);
    await over;
  });

  test('has not ended before they are given back, which who uses them is asked for', async () => {
    const { engine, record, over, hold } = await held();
    const stopped = stopBox(record, KILL);
    await hold.lost;
    expect(await recordIn(engine.layout)).toMatchObject({ status: 'restarting' });
    hold[Symbol.dispose]();
    await stopped;
    await over;
    expect(await recordIn(engine.layout)).toMatchObject({ status: 'stopped', exit_code: 7 });
  });
});
