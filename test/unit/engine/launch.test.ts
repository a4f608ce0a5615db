import { existsSync, mkdirSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { launch } from '../../../src/engine/launch.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import { sampleRecordIn } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { addBoxes, testEngine, type TestEngine } from './fixture/engine.ts';

const ATTACH = { output: false, stdin: false };
const rootfs = { path: '/nowhere', digest: `sha256:${'0'.repeat(64)}` };

/** A connection to a monitor that hangs up as soon as it has its box. */
async function brokenMonitor() {
  const path = join(temporaryDirectory(), 'socket');
  const server = createServer((socket) => void socket.once('data', () => socket.destroy())).listen(path);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const socket = connect(path);
  await once(socket, 'connect');
  return socket;
}

async function failure(engine: TestEngine, status: 'starting' | 'gone') {
  const [box] =
    status === 'gone'
      ? [sampleRecordIn(engine.layout)]
      : await addBoxes(engine, { status, pid: process.pid });
  if (box === undefined) throw new Error('no box');
  // As a monitor leaves it that is killed while it starts the box.
  mkdirSync(dirname(box.exec_socket_path), { recursive: true });
  const { started } = launch(engine, await brokenMonitor(), { record: box, rootfs }, ATTACH);
  return started.then(
    () => 'started',
    (error: Error) => error.message,
  );
}

test('a box whose monitor hung up is as it was before', async () => {
  const engine = testEngine();
  expect(await failure(engine, 'starting')).toMatch(/the connection to the box was lost/);
  const boxes = await readBoxes(engine.layout);
  expect(boxes).toMatchObject([{ status: 'created', pid: null }]);
  expect(existsSync(dirname(boxes[0]?.exec_socket_path ?? ''))).toBe(false);
});

test('a box that was removed while it started is told as missing, whatever failed then', async () => {
  expect(await failure(testEngine(), 'gone')).toBe('No such container: brave_otter');
});
