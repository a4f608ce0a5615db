import { expect, test } from 'vitest';

import {
  FRAME_HEADER_BYTES,
  FrameFlag,
  FrameType,
  INITIAL_WINDOW,
  MAX_WINDOW,
  ProtocolError,
  decodeFrameHeader,
  encodeFrameHeader,
  type FrameHeader,
} from '../../../src/runtime/protocol/frames.ts';
import { Mux } from '../../../src/runtime/protocol/mux.ts';
import type { MuxStream } from '../../../src/runtime/protocol/mux-stream.ts';
import { randomSource } from '../random.ts';

interface Sent {
  header: FrameHeader;
  payload: Buffer;
}

/** A multiplexer whose channel is a list, so that a test plays the guest. */
function openMux(): { mux: Mux; sent: Sent[]; goAways: number[]; channel: { open: boolean } } {
  const sent: Sent[] = [];
  const goAways: number[] = [];
  const channel = { open: true };
  let expected = 0;
  const mux = new Mux({
    write: (bytes) => {
      if (expected > 0) {
        expected -= bytes.length;
        const last = sent.at(-1);
        if (last !== undefined) last.payload = bytes;
      } else {
        const header = decodeFrameHeader(bytes);
        if (header.type === FrameType.data) expected = header.length;
        sent.push({ header, payload: Buffer.alloc(0) });
      }
      return channel.open;
    },
    goAway: (code) => goAways.push(code),
  });
  return { mux, sent, goAways, channel };
}

interface Heard {
  chunks: Buffer[];
  ended: boolean;
  error: Error | null;
  drains: number;
}

function listenTo(stream: MuxStream): Heard {
  const heard: Heard = { chunks: [], ended: false, error: null, drains: 0 };
  stream.listen({
    data: (chunk) => heard.chunks.push(chunk),
    end: () => {
      heard.ended = true;
    },
    error: (error) => {
      heard.error = error;
    },
    drain: () => {
      heard.drains += 1;
    },
  });
  return heard;
}

const frame = (type: number, flags: number, streamId: number, data: Buffer | number): Buffer =>
  typeof data === 'number'
    ? encodeFrameHeader({ type, flags, streamId, length: data })
    : Buffer.concat([encodeFrameHeader({ type, flags, streamId, length: data.length }), data]);
const data = (id: number, text: string): Buffer => frame(FrameType.data, 0, id, Buffer.from(text));

test('a stream opens with SYN and its CONNECT line, and delivers what follows OK', () => {
  const { mux, sent } = openMux();
  const heard = listenTo(mux.open(4089));
  expect(sent).toEqual([
    {
      header: { type: 0, flags: FrameFlag.syn, streamId: 1, length: 13 },
      payload: Buffer.from('CONNECT 4089\n'),
    },
  ]);
  mux.receive(data(1, 'OK 40'));
  mux.receive(data(1, '89\nhello'));
  mux.receive(frame(FrameType.data, FrameFlag.fin, 1, Buffer.from(' world')));
  expect(Buffer.concat(heard.chunks).toString()).toBe('hello world');
  expect(heard.ended).toBe(true);
});

test('a refused port is an error that says so', () => {
  const { mux } = openMux();
  const heard = listenTo(mux.open(9));
  mux.receive(data(1, 'ERR no such port\n'));
  expect(heard.error?.message).toBe('the agent refused port 9: "ERR no such port"');
});

test('no more is sent than the window allows, and the rest once it is widened', () => {
  const { mux, sent } = openMux();
  const stream = mux.open(4090);
  const heard = listenTo(stream);
  stream.write(Buffer.alloc(INITIAL_WINDOW + 1000));
  const payloads = (): number =>
    sent.reduce((sum, { header }) => sum + (header.type === 0 ? header.length : 0), 0);
  expect(payloads()).toBe(INITIAL_WINDOW);
  expect(stream.queuedBytes).toBe(1000 + 13);
  mux.receive(frame(FrameType.windowUpdate, 0, 1, 500));
  expect(stream.queuedBytes).toBe(513);
  expect(heard.drains).toBe(0);
  mux.receive(frame(FrameType.windowUpdate, 0, 1, 10_000));
  expect(stream.queuedBytes).toBe(0);
  expect(heard.drains).toBe(1);
});

test('a full channel holds every stream until it drains', () => {
  const { mux, channel } = openMux();
  const stream = mux.open(4090);
  listenTo(stream);
  channel.open = false;
  stream.write(Buffer.from('a'));
  stream.write(Buffer.from('b'));
  expect(stream.queuedBytes).toBe(1);
  channel.open = true;
  mux.channelDrained();
  expect(stream.queuedBytes).toBe(0);
});

test('a stalled stream takes nothing from another: each has its own window', () => {
  const { mux, sent } = openMux();
  const stalled = listenTo(mux.open(4089));
  const flowing = mux.open(4089);
  const heard = listenTo(flowing);
  for (const id of [1, 3]) mux.receive(data(id, 'OK 4089\n'));
  mux.receive(frame(FrameType.data, 0, 1, Buffer.alloc(INITIAL_WINDOW - 8)));
  expect(stalled.chunks).toHaveLength(1);
  for (let round = 0; round < 20; round += 1) {
    mux.receive(frame(FrameType.data, 0, 3, Buffer.alloc(65_536)));
    flowing.consume(65_536);
  }
  expect(heard.chunks).toHaveLength(20);
  const updates = sent.filter(({ header }) => header.type === FrameType.windowUpdate);
  expect(updates.every(({ header }) => header.streamId === 3)).toBe(true);
});

test.each([
  ['data beyond the window', frame(FrameType.data, 0, 1, INITIAL_WINDOW + 1)],
  ['a window widened beyond its bound', frame(FrameType.windowUpdate, 0, 1, MAX_WINDOW)],
  ['a stream that the guest opens', frame(FrameType.data, FrameFlag.syn, 2, 0)],
  ['a stream that was never opened', frame(FrameType.data, 0, 5, 0)],
  ['an even stream', frame(FrameType.data, 0, 2, 0)],
  ['an unknown version', Buffer.from('010000000000000100000000', 'hex')],
  ['an unknown type', Buffer.from('000900000000000100000000', 'hex')],
  ['unknown flags', Buffer.from('000000100000000100000000', 'hex')],
  ['a ping on a stream', frame(FrameType.ping, FrameFlag.syn, 1, 0)],
  ['data on the session', frame(FrameType.data, 0, 0, 0)],
  ['an endless opening line', data(1, 'x'.repeat(300))],
])('%s ends the session', (_name, bytes) => {
  const { mux } = openMux();
  listenTo(mux.open(4089));
  expect(() => mux.receive(bytes)).toThrow(ProtocolError);
});

test('pings are answered, but not while the channel is full', () => {
  const { mux, sent, channel } = openMux();
  mux.receive(frame(FrameType.ping, FrameFlag.syn, 0, 77));
  expect(sent.at(-1)?.header).toEqual({
    type: FrameType.ping,
    flags: FrameFlag.ack,
    streamId: 0,
    length: 77,
  });
  channel.open = false;
  for (let count = 0; count < 1000; count += 1) mux.receive(frame(FrameType.ping, FrameFlag.syn, 0, count));
  expect(sent.length).toBe(2);
});

test('a reset ends the stream for good, and late frames for it are skipped', () => {
  const { mux } = openMux();
  const stream = mux.open(4089);
  const heard = listenTo(stream);
  mux.receive(frame(FrameType.windowUpdate, FrameFlag.rst, 1, 0));
  expect(heard.error?.message).toBe('stream 1 was reset by the guest');
  mux.receive(data(1, 'late'));
  expect(heard.chunks).toEqual([]);
});

test('GO_AWAY carries its code', () => {
  const { mux, goAways } = openMux();
  mux.receive(frame(FrameType.goAway, 0, 0, 1));
  expect(goAways).toEqual([1]);
});

test('random bytes end the session or are skipped, whatever their cut', () => {
  const random = randomSource(1);
  let refused = 0;
  for (let round = 0; round < 2000; round += 1) {
    const { mux } = openMux();
    listenTo(mux.open(4089));
    // Half of the rounds begin like a real frame, to get further in.
    const start = round % 2 === 0 ? data(1, 'OK 4089\n') : Buffer.alloc(0);
    const noise = Buffer.from(
      Array.from({ length: 200 }, () => Math.floor(random() * (round % 3 === 0 ? 4 : 256))),
    );
    try {
      const bytes = Buffer.concat([start, noise]);
      const cut = Math.floor(random() * bytes.length);
      mux.receive(bytes.subarray(0, cut));
      mux.receive(bytes.subarray(cut));
    } catch (error) {
      refused += 1;
      expect(error).toBeInstanceOf(ProtocolError);
    }
  }
  expect(refused).toBeGreaterThan(1500);
  expect(FRAME_HEADER_BYTES).toBe(12);
});
