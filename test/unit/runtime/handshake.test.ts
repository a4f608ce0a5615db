import { expect, test } from 'vitest';

import { ProtocolError } from '../../../src/runtime/protocol/frames.ts';
import { HandshakeReader, findFatal, helloLine, newNonce } from '../../../src/runtime/protocol/handshake.ts';

const NONCE = '0123456789abcdef0123456789abcdef';
const READY = Buffer.from(`A3S/1 READY ${NONCE}\n`);
const WAITING = { kind: 'waiting' };

test('HELLO and READY are 45 bytes, and nonces differ', () => {
  expect(helloLine(NONCE).toString()).toBe(`A3S/1 HELLO ${NONCE}\n`);
  expect(helloLine(NONCE)).toHaveLength(45);
  expect(READY).toHaveLength(45);
  expect(newNonce()).toMatch(/^[0-9a-f]{32}$/);
  expect(newNonce()).not.toBe(newNonce());
});

test('READY opens the session, and the bytes behind it are its first', () => {
  const step = new HandshakeReader(NONCE).push(Buffer.concat([READY, Buffer.from([0, 2, 0, 1])]));
  expect(step).toEqual({ kind: 'ready', rest: Buffer.from([0, 2, 0, 1]) });
});

test('garbage before READY is discarded, wherever the stream is cut', () => {
  const garbage = Buffer.from('\0\0\0\0half a frame A3S/1 READ A3S/1 HELLO \n');
  const stream = Buffer.concat([garbage, READY, Buffer.from('rest')]);
  for (let cut = 1; cut < stream.length; cut += 1) {
    const reader = new HandshakeReader(NONCE);
    const steps = [reader.push(stream.subarray(0, cut))];
    if (steps[0]?.kind !== 'ready') steps.push(reader.push(stream.subarray(cut)));
    const last = steps.at(-1);
    expect(last?.kind).toBe('ready');
    const consumed = last?.kind === 'ready' && steps.length === 1 ? cut : stream.length;
    expect(last).toEqual({ kind: 'ready', rest: stream.subarray(garbage.length + 45, consumed) });
  }
});

test('READY one byte at a time is READY', () => {
  const reader = new HandshakeReader(NONCE);
  for (const byte of READY.subarray(0, 44)) expect(reader.push(Buffer.of(byte))).toEqual(WAITING);
  expect(reader.push(READY.subarray(44))).toEqual({ kind: 'ready', rest: Buffer.alloc(0) });
});

test('READY with the nonce of another session is garbage', () => {
  const reader = new HandshakeReader(NONCE);
  expect(reader.push(Buffer.from(`A3S/1 READY ${NONCE.replace('0', 'f')}\n`))).toEqual(WAITING);
  expect(reader.push(Buffer.from(`A3S/1 READY ${NONCE.toUpperCase()}\n`))).toEqual(WAITING);
  expect(reader.push(READY).kind).toBe('ready');
});

test('an agent of another version says so', () => {
  expect(new HandshakeReader(NONCE).push(Buffer.from('x\nA3S/1 UNSUPPORTED\n'))).toEqual({
    kind: 'unsupported',
  });
});

test('the FATAL line names stage and reason', () => {
  const line = 'A3S/1 FATAL {"stage":"modules","errno":2,"message":"virtio_console.ko: no such file"}\n';
  const fatal = { stage: 'modules', errno: 2, message: 'virtio_console.ko: no such file' };
  const reader = new HandshakeReader(NONCE);
  expect(reader.push(Buffer.from(line.slice(0, 30)))).toEqual(WAITING);
  expect(reader.push(Buffer.from(line.slice(30)))).toEqual({ kind: 'fatal', fatal });
});

test.each([
  ['no JSON', 'A3S/1 FATAL oops\n'],
  ['no stage', 'A3S/1 FATAL {"message":"x"}\n'],
  ['a stage that is no string', 'A3S/1 FATAL {"stage":7,"message":"x"}\n'],
  ['a list', 'A3S/1 FATAL []\n'],
  ['no end', 'A3S/1 FATAL {"stage":"x","message":"y"}'],
  ['too long', `A3S/1 FATAL {"stage":"x","message":"${'y'.repeat(5000)}"}\n`],
])('a FATAL line with %s is none', (_name, line) => {
  expect(findFatal(Buffer.from(line))).toBeNull();
});

test('1 MiB without READY is waited through, more is refused', () => {
  const reader = new HandshakeReader(NONCE);
  const kibibytes = Buffer.alloc(1024, 'A3S/1 READY ');
  for (let sent = 0; sent < 1024; sent += 1) expect(reader.push(kibibytes)).toEqual(WAITING);
  expect(() => {
    for (let sent = 0; sent < 16; sent += 1) reader.push(kibibytes);
  }).toThrow(ProtocolError);
});

test('READY at the end of 1 MiB of garbage is still found', () => {
  const reader = new HandshakeReader(NONCE);
  for (let sent = 0; sent < 16; sent += 1) expect(reader.push(Buffer.alloc(65_536, 'x'))).toEqual(WAITING);
  expect(reader.push(READY).kind).toBe('ready');
});
