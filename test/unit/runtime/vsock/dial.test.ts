import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { dialVsock } from '../../../../src/runtime/vsock/dial.ts';
import { VsockError } from '../../../../src/runtime/vsock/error.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { accept, refuse, scriptedPeer } from './fixture/scripted-peer.ts';

const PORT = 4090;

async function failure(promise: Promise<unknown>): Promise<VsockError> {
  const error: unknown = await promise.then(
    () => new Error('no failure'),
    (reason: unknown) => reason,
  );
  if (error instanceof VsockError) return error;
  throw error;
}

test('a dial asks for its port and has what follows the answer', async () => {
  let line = '';
  await using peer = await scriptedPeer((socket, said) => {
    line = said;
    accept(Buffer.from('first words'))(socket, said);
  });
  const stream = await dialVsock({ path: peer.path, port: PORT }, { timeoutMs: 5000 });
  expect(line).toBe('CONNECT 4090');
  expect(String(await stream.read())).toBe('first words');
  stream.close();
});

test('bytes that come in the same packet as the answer belong to the stream, however the packets are cut', async () => {
  await using peer = await scriptedPeer((socket) => {
    socket.write('O');
    setImmediate(() => {
      socket.write('K 7\nab');
      setImmediate(() => socket.end('cd'));
    });
  });
  const stream = await dialVsock({ path: peer.path, port: PORT }, { timeoutMs: 5000 });
  let all = '';
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) all += String(chunk);
  expect(all).toBe('abcd');
});

test('a refusal is tried again', async () => {
  await using peer = await scriptedPeer(refuse, refuse, accept(Buffer.from('x')));
  const stream = await dialVsock({ path: peer.path, port: PORT }, { timeoutMs: 5000 });
  expect(String(await stream.read())).toBe('x');
  expect(peer.arrivals).toHaveLength(3);
  stream.close();
});

test('the fifth refusal is the last, and the waits double', async () => {
  await using peer = await scriptedPeer(refuse);
  const error = await failure(dialVsock({ path: peer.path, port: PORT }, { timeoutMs: 9000 }));
  expect(error.reason).toBe('refused');
  expect(error.message).toBe(`vsock port 4090 at ${peer.path}: refused 5 times: nobody listens on the port`);
  const waits = peer.arrivals.slice(1).map((time, index) => time - (peer.arrivals[index] ?? 0));
  expect(waits).toHaveLength(4);
  for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(100 * 2 ** index - 5);
});

test('a socket that is not there yet counts as a refusal', async () => {
  const path = join(temporaryDirectory(), 'late');
  const dialled = dialVsock({ path, port: PORT }, { timeoutMs: 5000 });
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () => socket.write('OK 1\n'));
  });
  server.listen(path);
  await once(server, 'listening');
  const stream = await dialled;
  stream.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

test.for(['ERR no such port\n', 'OK\n', 'ok 1\n', 'OKAY 1\n', '\n'])(
  'the answer %j is a wrong handshake and is not tried again',
  async (answer) => {
    await using peer = await scriptedPeer((socket) => void socket.write(answer));
    const error = await failure(dialVsock({ path: peer.path, port: PORT }, { timeoutMs: 5000 }));
    expect([error.reason, String(error.raw), error.code]).toEqual(['handshake', answer, 'guest_protocol']);
    expect(peer.arrivals).toHaveLength(1);
  },
);

test('an answer without an end, or that breaks off, is a wrong handshake', async () => {
  await using endless = await scriptedPeer((socket) => void socket.write('O'.repeat(1000)));
  const long = await failure(dialVsock({ path: endless.path, port: PORT }, { timeoutMs: 5000 }));
  expect(long.message).toMatch(/the answer is longer than 256 bytes$/);
  await using broken = await scriptedPeer((socket) => void socket.end('OK 12'));
  const short = await failure(dialVsock({ path: broken.path, port: PORT }, { timeoutMs: 5000 }));
  expect(short.message).toMatch(/the answer breaks off$/);
  expect([long.reason, short.reason]).toEqual(['handshake', 'handshake']);
});

test('the deadline ends a dial whose answer does not come', async () => {
  await using peer = await scriptedPeer(() => {});
  const error = await failure(dialVsock({ path: peer.path, port: PORT }, { timeoutMs: 50 }));
  expect([error.reason, error.code]).toEqual(['deadline', 'timeout']);
});

test('the deadline also ends the wait between two attempts', async () => {
  await using peer = await scriptedPeer(refuse);
  const error = await failure(dialVsock({ path: peer.path, port: PORT }, { timeoutMs: 150 }));
  expect(error.reason).toBe('deadline');
  expect(peer.arrivals.length).toBeLessThan(5);
});

test('the caller can cancel a dial', async () => {
  await using peer = await scriptedPeer(() => {});
  const cancel = new AbortController();
  const dialled = failure(
    dialVsock({ path: peer.path, port: PORT }, { timeoutMs: 5000, signal: cancel.signal }),
  );
  cancel.abort();
  expect((await dialled).reason).toBe('cancelled');
  const late = dialVsock({ path: peer.path, port: PORT }, { timeoutMs: 5000, signal: cancel.signal });
  expect((await failure(late)).reason).toBe('cancelled');
});

test('a host that will not connect is told as it is, at once', async () => {
  const error = await failure(
    dialVsock({ path: `/${'long/'.repeat(40)}vsock`, port: PORT }, { timeoutMs: 5000 }),
  );
  expect(error.reason).toBe('io');
});

test('a port that cannot be is refused before anything is dialled', async () => {
  await expect(dialVsock({ path: '/nowhere', port: -1 }, { timeoutMs: 5000 })).rejects.toMatchObject({
    code: 'usage',
    message: 'vsock port -1 at /nowhere: a port is a number from 0 to 4294967294',
  });
});
