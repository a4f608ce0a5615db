import { expect, test } from 'vitest';

import { ProtocolError } from '../../../src/runtime/protocol/frames.ts';
import {
  MAX_DATA_PAYLOAD,
  MAX_MESSAGE_LENGTH,
  MessageDecoder,
  MessageType,
  encodeData,
  encodeMessage,
  encodeResize,
  frameData,
  type Message,
} from '../../../src/runtime/protocol/messages.ts';
import { randomSource } from '../random.ts';

const shown = (messages: Message[]): [number, string][] =>
  messages.map(({ type, payload }) => [type, payload.toString('latin1')]);

test('messages are found wherever the stream is cut', () => {
  const sent: [number, string][] = [
    [MessageType.stdout, 'hello'],
    [MessageType.started, '{}'],
    [MessageType.stdinEof, ''],
    [MessageType.stderr, 'x'.repeat(3000)],
    [MessageType.result, '{"exit_code":0}'],
  ];
  const stream = Buffer.concat(sent.map(([type, text]) => encodeMessage(type, Buffer.from(text))));
  const random = randomSource(7);
  for (let round = 0; round < 200; round += 1) {
    const decoder = new MessageDecoder();
    const received: Message[] = [];
    for (let at = 0; at < stream.length;) {
      const size = 1 + Math.floor(random() * (round % 2 === 0 ? 7 : 1200));
      received.push(...decoder.decode(stream.subarray(at, at + size)));
      at += size;
    }
    expect(shown(received)).toEqual(sent);
    expect(decoder.idle).toBe(true);
  }
});

test('types that are wanted in parts come as they arrive, the others whole', () => {
  const big = 'x'.repeat(3000);
  const stream = Buffer.concat(
    [
      [MessageType.started, '{}'],
      [MessageType.stdout, big],
      [MessageType.stdout, ''],
      [MessageType.stderr, big],
      [MessageType.stdout, 'end'],
      [MessageType.result, '{"exit_code":0}'],
    ].map(([type, text]) => encodeMessage(Number(type), Buffer.from(String(text)))),
  );
  const random = randomSource(11);
  for (let round = 0; round < 200; round += 1) {
    const decoder = new MessageDecoder([MessageType.stdout]);
    const received: Message[] = [];
    for (let at = 0; at < stream.length;) {
      const size = 1 + Math.floor(random() * (round % 2 === 0 ? 7 : 1200));
      received.push(...decoder.decode(stream.subarray(at, at + size)));
      at += size;
    }
    expect(decoder.idle).toBe(true);
    const stdout = received.filter(({ type }) => type === MessageType.stdout);
    expect(Buffer.concat(stdout.map(({ payload }) => payload)).toString()).toBe(`${big}end`);
    expect(shown(received.filter(({ type }) => type !== MessageType.stdout))).toEqual([
      [MessageType.started, '{}'],
      [MessageType.stderr, big],
      [MessageType.result, '{"exit_code":0}'],
    ]);
  }
});

test('a message that is given in parts is not held, and its decoder is not between messages', () => {
  const decoder = new MessageDecoder([MessageType.stdout]);
  const bytes = encodeMessage(MessageType.stdout, Buffer.from('abcdef'));
  expect(shown([...decoder.decode(bytes.subarray(0, 8))])).toEqual([[MessageType.stdout, 'abc']]);
  expect({ held: decoder.heldBytes, idle: decoder.idle }).toEqual({ held: 0, idle: false });
  expect(shown([...decoder.decode(bytes.subarray(8))])).toEqual([[MessageType.stdout, 'def']]);
  expect(decoder.idle).toBe(true);
});

test('the raw bytes of a message are the message', () => {
  const bytes = encodeMessage(MessageType.stdout, Buffer.from('abc'));
  expect([...new MessageDecoder().decode(bytes)][0]?.raw).toEqual(bytes);
});

test.each([
  ['a length of zero', '0000000011'],
  ['a length over the limit', `${(MAX_MESSAGE_LENGTH + 1).toString(16).padStart(8, '0')}12`],
  ['the greatest length', 'ffffffff12'],
  ['a length out of bounds, before anything follows it', '00000000'],
  ['an unknown type', '0000000177'],
])('%s is refused at once', (_name, hex) => {
  expect(() => [...new MessageDecoder().decode(Buffer.from(hex, 'hex'))]).toThrow(ProtocolError);
});

test('messages before a bad one are heard, and the error has its bytes', () => {
  const good = encodeMessage(MessageType.stdout, Buffer.from('abc'));
  const bad = encodeMessage(0x77, Buffer.from('what'));
  const heard: Message[] = [];
  const decode = (): void => {
    for (const message of new MessageDecoder().decode(Buffer.concat([good, bad, good]))) heard.push(message);
  };
  expect(decode).toThrow(expect.objectContaining({ message: 'unknown message type 119', raw: bad }));
  expect(shown(heard)).toEqual([[MessageType.stdout, 'abc']]);
});

test('random bytes never make the decoder hold more than one message', () => {
  const random = randomSource(42);
  for (let round = 0; round < 500; round += 1) {
    const decoder = new MessageDecoder();
    try {
      for (let step = 0; step < 50; step += 1) {
        const bytes = Buffer.from(Array.from({ length: 64 }, () => Math.floor(random() * 256)));
        for (const message of decoder.decode(bytes)) expect(message.raw.length).toBeGreaterThan(4);
      }
      // A random length below the limit is honest: the decoder waits for its bytes.
      expect(decoder.heldBytes).toBeLessThanOrEqual(MAX_MESSAGE_LENGTH + 4);
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError);
    }
  }
});

test('data is cut into payloads that the receiver accepts', () => {
  const data = Buffer.alloc(MAX_DATA_PAYLOAD * 2 + 1, 'z');
  const messages = [...new MessageDecoder().decode(Buffer.concat(encodeData(MessageType.stdin, data)))];
  expect(messages.map((message) => message.payload.length)).toEqual([MAX_DATA_PAYLOAD, MAX_DATA_PAYLOAD, 1]);
  expect(encodeData(MessageType.stdin, Buffer.alloc(0))).toEqual([]);
});

test('heads and payloads in turn are the same messages, and the payloads no copies', () => {
  const data = Buffer.alloc(MAX_DATA_PAYLOAD + 1, 'z');
  const pieces = frameData(MessageType.stdin, data);
  expect(Buffer.concat(pieces).equals(Buffer.concat(encodeData(MessageType.stdin, data)))).toBe(true);
  expect(pieces[1]?.buffer).toBe(data.buffer);
});

test('a window size is two big-endian numbers', () => {
  expect(encodeResize(50, 132).toString('hex')).toBe('000000050400320084');
});

test('a message that comes byte by byte takes little more memory than its bytes', () => {
  const decoder = new MessageDecoder();
  const bytes = encodeMessage(MessageType.stdout, Buffer.alloc(MAX_MESSAGE_LENGTH - 1, 'm'));
  const before = process.memoryUsage.rss();
  let received: Message[] = [];
  for (let at = 0; at < bytes.length; at += 1)
    received = [...decoder.decode(Buffer.from(bytes.subarray(at, at + 1)))];
  expect(received[0]?.raw.equals(bytes)).toBe(true);
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024);
});
