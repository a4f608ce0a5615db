import type { Socket } from 'node:net';

import { expect, test } from 'vitest';

import {
  MessageDecoder,
  MessageType,
  encodeJsonMessage,
  encodeMessage,
} from '../../../../src/runtime/protocol/messages.ts';
import { dialVsock } from '../../../../src/runtime/vsock/dial.ts';
import { VsockError, type VsockRecord } from '../../../../src/runtime/vsock/error.ts';
import { exchange, type VsockOutcome } from '../../../../src/runtime/vsock/exchange.ts';
import { accept, refuse, scriptedPeer, type Script } from './fixture/scripted-peer.ts';

const RESULT = encodeJsonMessage(MessageType.result, { exit_code: 3 });
const EMPTY = Buffer.alloc(0);
const log = (message: string): Buffer => encodeJsonMessage(MessageType.log, { level: 'info', message });
const out = (text: string): Buffer => encodeMessage(MessageType.stdout, Buffer.from(text));
const err = (text: string): Buffer => encodeMessage(MessageType.stderr, Buffer.from(text));

async function ask(
  path: string,
  options: { timeoutMs?: number; signal?: AbortSignal; onRecord?: (record: VsockRecord) => void } = {},
): Promise<VsockOutcome> {
  const { timeoutMs = 5000, signal, onRecord } = options;
  const stream = await dialVsock(
    { path, port: 4090 },
    { timeoutMs, ...(signal === undefined ? {} : { signal }) },
  );
  return exchange(stream, { op: 'run' }, onRecord === undefined ? {} : { onRecord });
}

async function failure(promise: Promise<unknown>): Promise<VsockError> {
  const error: unknown = await promise.then(
    () => new Error('no failure'),
    (reason: unknown) => reason,
  );
  if (error instanceof VsockError) return error;
  throw error;
}

test('one request goes out, five logs and the result come back', async () => {
  let request: unknown;
  const logs = [1, 2, 3, 4, 5].map((number) => log(`step ${number}`));
  await using peer = await scriptedPeer((socket) => {
    const decoder = new MessageDecoder();
    socket.write('OK 1\n');
    socket.on('data', (chunk: Buffer) => {
      for (const { type, payload } of decoder.decode(chunk)) {
        request = [type, JSON.parse(String(payload))];
        socket.write(Buffer.concat([...logs, RESULT]));
      }
    });
  });
  const seen: VsockRecord[] = [];
  const outcome = await ask(peer.path, { onRecord: (record) => void seen.push(record) });
  expect(request).toEqual([MessageType.request, { op: 'run' }]);
  expect(seen).toEqual(
    [1, 2, 3, 4, 5].map((number) => ({ kind: 'log', level: 'info', message: `step ${number}` })),
  );
  expect(outcome).toEqual({ exitCode: 3, output: EMPTY, truncated: false });
});

test('the outcome has exit code, output in its order, and error', async () => {
  const result = encodeJsonMessage(MessageType.result, {
    exit_code: 127,
    error: { code: 'not_found', stage: 'exec', message: 'no such program' },
  });
  const started = encodeJsonMessage(MessageType.started, { pid: 7 });
  await using peer = await scriptedPeer(accept(started, out('a'), err('b'), log('aside'), out('c'), result));
  expect(await ask(peer.path)).toEqual({
    exitCode: 127,
    output: Buffer.from('abc'),
    truncated: false,
    error: { code: 'not_found', stage: 'exec', message: 'no such program' },
  });
});

test('messages are whole however their bytes are cut', async () => {
  const bytes = Buffer.concat([out('hello'), log('x'), RESULT]);
  await using peer = await scriptedPeer((socket) => {
    socket.write('OK 1\n');
    const sendFrom = (at: number): void => {
      if (at < bytes.length) socket.write(bytes.subarray(at, at + 1), () => sendFrom(at + 1));
    };
    sendFrom(0);
  });
  expect(await ask(peer.path)).toMatchObject({ exitCode: 3, output: Buffer.from('hello') });
});

test('output beyond 16 MiB is kept from its end, and said to be cut', async () => {
  const piece = Buffer.alloc(1024 * 1024, 'x');
  const pieces = Array.from({ length: 20 }, () => encodeMessage(MessageType.stdout, piece));
  await using peer = await scriptedPeer(accept(...pieces, out('end'), RESULT));
  const outcome = await ask(peer.path);
  expect(outcome.truncated).toBe(true);
  expect(outcome.output.length).toBe(15 * 1024 * 1024 + 3);
  expect(String(outcome.output.subarray(-4))).toBe('xend');
});

const TWO_LOGS: VsockRecord[] = [
  { kind: 'log', level: 'info', message: 'one' },
  { kind: 'stdout', bytes: Buffer.from('two') },
];

test.for<[string, (socket: Socket) => void]>([
  ['between two messages', (socket) => void socket.end()],
  ['in the middle of a message', (socket) => void socket.end(RESULT.subarray(0, 7))],
])('a connection that ends after two logs %s is an error that carries them', async ([, end]) => {
  await using peer = await scriptedPeer((socket) => {
    socket.write(Buffer.concat([Buffer.from('OK 1\n'), log('one'), out('two')]), () => end(socket));
  });
  const error = await failure(ask(peer.path));
  expect([error.reason, error.code]).toEqual(['reset', 'io']);
  expect(error.records).toEqual(TWO_LOGS);
});

test('a reset after two logs is an error that carries them', async () => {
  let served: Socket | undefined;
  await using peer = await scriptedPeer((socket) => {
    served = socket;
    socket.pause();
    socket.write(Buffer.concat([Buffer.from('OK 1\n'), log('one'), out('two')]));
  });
  let seen = 0;
  // The request lies unread when the peer closes: the kernel makes that a reset.
  const onRecord = (): void => {
    seen += 1;
    if (seen === 2) served?.destroy();
  };
  const error = await failure(ask(peer.path, { onRecord }));
  expect(error.reason).toBe('reset');
  expect(error.message).toBe(`vsock port 4090 at ${peer.path}: the connection was reset: read ECONNRESET`);
  expect(error.records).toEqual(TWO_LOGS);
});

test.for<[string, Buffer, string]>([
  ['no JSON', encodeMessage(MessageType.log, Buffer.from('{nope')), 'log is not valid JSON'],
  ['a result that is none', encodeJsonMessage(MessageType.result, [1]), 'result is not a JSON object'],
  [
    'an exit code that cannot be',
    encodeJsonMessage(MessageType.result, { exit_code: 256 }),
    'result.exit_code is not a number from 0 to 255',
  ],
  ['an unknown type', encodeMessage(0x77, Buffer.from('?')), 'unknown message type 119'],
  ['a type that only hosts send', encodeMessage(MessageType.stdin, EMPTY), 'message type 2 from the guest'],
  ['an empty result', encodeMessage(MessageType.result), 'the result is empty'],
])('%s is an error that carries the raw bytes and the logs before it', async ([, bytes, why]) => {
  await using peer = await scriptedPeer(accept(log('one'), out('two'), bytes, RESULT));
  const error = await failure(ask(peer.path));
  expect([error.reason, error.code]).toEqual(['malformed', 'guest_protocol']);
  expect(error.message).toBe(`vsock port 4090 at ${peer.path}: ${why}`);
  expect(error.raw).toEqual(bytes);
  expect(error.records).toEqual(TWO_LOGS);
});

test.for([0, 1_048_578, 0xffff_ffff])(
  'a message length of %i is refused before its bytes',
  async (length) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(length);
    await using peer = await scriptedPeer(accept(head));
    const error = await failure(ask(peer.path));
    expect([error.reason, error.raw]).toEqual(['malformed', head]);
    expect(error.message).toMatch(new RegExp(`: message length ${length} is out of bounds$`));
  },
);

test('a result stands, whatever comes behind it', async () => {
  await using peer = await scriptedPeer(accept(RESULT, encodeMessage(0x77), RESULT));
  expect(await ask(peer.path)).toMatchObject({ exitCode: 3 });
});

test('the deadline ends a read that waits, and the error carries the logs', async () => {
  await using peer = await scriptedPeer(accept(log('one'), out('two')));
  const error = await failure(ask(peer.path, { timeoutMs: 2000 }));
  expect([error.reason, error.code]).toEqual(['deadline', 'timeout']);
  expect(error.records).toEqual(TWO_LOGS);
});

test('the deadline ends a write that nobody takes', async () => {
  await using peer = await scriptedPeer((socket) => {
    socket.pause();
    socket.write('OK 1\n');
  });
  const stream = await dialVsock({ path: peer.path, port: 1 }, { timeoutMs: 2000 });
  const error = await failure(stream.write(Buffer.alloc(8 * 1024 * 1024)));
  expect(error.reason).toBe('deadline');
});

test('the caller can cancel an exchange in its middle', async () => {
  await using peer = await scriptedPeer(accept(log('one')));
  const cancel = new AbortController();
  const error = await failure(ask(peer.path, { signal: cancel.signal, onRecord: () => cancel.abort() }));
  expect(error.reason).toBe('cancelled');
  expect(error.records).toEqual(TWO_LOGS.slice(0, 1));
});

test('a request longer than a message is refused here', async () => {
  await using peer = await scriptedPeer(accept());
  const stream = await dialVsock({ path: peer.path, port: 1 }, { timeoutMs: 5000 });
  await expect(exchange(stream, { op: 'x'.repeat(1024 * 1024) })).rejects.toMatchObject({ code: 'usage' });
});

test('twenty dials at once, some refused first, each get their own answer', async () => {
  const echo: Script = (socket, line) => {
    socket.write('OK 1\n');
    socket.once('data', () => socket.write(Buffer.concat([out(line), RESULT])));
  };
  await using peer = await scriptedPeer(...Array.from({ length: 10 }, () => refuse), echo);
  const ports = Array.from({ length: 20 }, (_, index) => 5000 + index);
  const answers = await Promise.all(
    ports.map(async (port) => {
      const stream = await dialVsock({ path: peer.path, port }, { timeoutMs: 8000 });
      return String((await exchange(stream, {})).output);
    }),
  );
  expect(answers).toEqual(ports.map((port) => `CONNECT ${port}`));
});
