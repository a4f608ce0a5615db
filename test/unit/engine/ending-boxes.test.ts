/** Commands that come to a box while it ends, or while others act on it. */
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';

import { execBox } from '../../../src/engine/exec.ts';
import { killBox } from '../../../src/engine/kill.ts';
import { pauseBox } from '../../../src/engine/pause.ts';
import { restartBox } from '../../../src/engine/restart.ts';
import { stopBox } from '../../../src/engine/stop.ts';
import type { Engine } from '../../../src/engine/types.ts';
import { waitBox } from '../../../src/engine/wait.ts';
import { MessageType, encodeJsonMessage } from '../../../src/runtime/protocol/messages.ts';
import { updateBox } from '../../../src/state/box-updates.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import type { BoxRecord } from '../../../src/state/record.ts';
import { testEngine } from './fixture/engine.ts';
import { boxWithAgent, boxWithMonitor } from './fixture/monitor.ts';

/** Longer than a command takes to look at the record once. */
const LATER_MS = 200;
const STOPPED = { status: 'stopped', pid: null, pid_start: null, exit_code: 3 } as const;
const UPGRADED = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';
const spec = { cmd: ['true'], env: [], tty: false, openStdin: false, privileged: false };

function later(engine: Engine, box: BoxRecord, change: Partial<BoxRecord>): void {
  const write = (): void => void updateBox(engine.layout, box.id, (record) => Object.assign(record, change));
  setTimeout(write, LATER_MS);
}

/** A box whose monitor hangs up without an answer, and whose record says something else a little later. */
async function hangingUp(change: Partial<BoxRecord>): Promise<{ engine: Engine; box: BoxRecord }> {
  const engine = testEngine();
  const box = await boxWithMonitor(engine, (_request, socket) => {
    socket.destroy();
    later(engine, box, change);
  });
  return { engine, box };
}

const status = async ({ layout }: Engine): Promise<string | undefined> =>
  (await readBoxes(layout))[0]?.status;

test('a pause of a box that is ending fails once its record says that it has ended', async () => {
  const { engine, box } = await hangingUp(STOPPED);
  await expect(pauseBox(engine, 'd1')).rejects.toThrow(`container ${box.id} is not running`);
  expect(await status(engine)).toBe('stopped');
});

test('a signal for a box that is ending fails once its record says that it has ended', async () => {
  const { engine, box } = await hangingUp(STOPPED);
  await expect(killBox(engine, 'd1', 'USR1')).rejects.toThrow(
    `cannot kill container: d1: container ${box.id} is not running`,
  );
  expect(await status(engine)).toBe('stopped');
});

test('a wait whose monitor goes without a word takes the exit status from the record, once it is there', async () => {
  const { engine } = await hangingUp(STOPPED);
  expect(await waitBox(engine, 'd1')).toBe(3);
});

test('a stop whose box another command has started again by then is over', async () => {
  const { engine } = await hangingUp({ started_at: '2026-01-02T03:04:09Z', stopped_by_user: false });
  await stopBox(engine, 'd1', { signal: undefined, timeoutSeconds: 1 });
  expect(await status(engine)).toBe('running');
});

test('a restart of a box that ended, was started and paused meanwhile restarts it as it is now', async () => {
  const engine = testEngine();
  const asked: unknown[] = [];
  const box = await boxWithMonitor(engine, (request, socket) => {
    asked.push(request);
    if (asked.length > 1) socket.end(encodeJsonMessage(MessageType.result, { exit_code: 0 }));
    else {
      socket.destroy();
      later(engine, box, { status: 'paused', started_at: '2026-01-02T03:04:09Z' });
    }
  });
  await restartBox(engine, 'd1', { signal: undefined, timeoutSeconds: 1 });
  const request = { op: 'restart', signal: 15, timeoutSeconds: 1 };
  expect(asked).toEqual([request, request]);
});

/** The box's agent takes the connection, does that with it, and its record changes a little later. */
async function execIn(
  change: Partial<BoxRecord>,
  act: (socket: Socket) => void,
): Promise<{ id: string; session: ReturnType<typeof execBox>; engine: Engine }> {
  const engine = testEngine();
  const box = await boxWithAgent(engine, (socket) => {
    // The request.
    socket.once('data', () => {
      act(socket);
      later(engine, box, change);
    });
  });
  return { id: box.id, session: execBox(engine, 'd1', spec), engine };
}

test('a command for a box that ends before it answers is told that the box does not run', async () => {
  const { id, session, engine } = await execIn(STOPPED, (socket) => socket.destroy());
  await expect(session).rejects.toMatchObject({
    code: 'box_not_running',
    message: `container ${id} is not running`,
  });
  expect(await status(engine)).toBe('stopped');
});

test('a command for a box that is paused before it answers is told so', async () => {
  const { session } = await execIn({ status: 'paused' }, (socket) => socket.destroy());
  await expect(session).rejects.toMatchObject({
    code: 'box_paused',
    message: 'Container d1 is paused, unpause the container before exec',
  });
});

test('a command that its box takes along was killed', async () => {
  const { session } = await execIn(STOPPED, (socket) => {
    socket.write(UPGRADED);
    socket.end(encodeJsonMessage(MessageType.started, {}));
  });
  const { started, result } = await session;
  await started;
  expect(await result).toEqual({ exitCode: 137, signal: 9 });
});

test('a command that its box takes along before it runs never ran', async () => {
  const { id, session } = await execIn(STOPPED, (socket) => socket.end(UPGRADED));
  const { started } = await session;
  await expect(started).rejects.toMatchObject({
    code: 'box_not_running',
    message: `container ${id} is not running`,
  });
});
