/** The golden vectors: what the agent's tests decode and encode too. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import {
  FRAME_HEADER_BYTES,
  FrameFlag,
  FrameType,
  ProtocolError,
  decodeFrameHeader,
  encodeFrameHeader,
} from '../../../src/runtime/protocol/frames.ts';
import { HandshakeReader, helloLine } from '../../../src/runtime/protocol/handshake.ts';
import {
  MessageDecoder,
  MessageType,
  encodeMessage,
  encodeResize,
} from '../../../src/runtime/protocol/messages.ts';
import { parseResult } from '../../../src/runtime/protocol/result.ts';

interface Vector {
  name: string;
  kind: string;
  hex: string;
  type: string;
  flags: string[];
  stream: number;
  length: number;
  payload: string;
  json?: unknown;
  rows: number;
  cols: number;
  signal: number;
  nonce: string;
}

const FRAME_TYPES: Record<string, number> = {
  data: FrameType.data,
  window_update: FrameType.windowUpdate,
  ping: FrameType.ping,
  go_away: FrameType.goAway,
};
const FLAGS: Record<string, number> = {
  SYN: FrameFlag.syn,
  ACK: FrameFlag.ack,
  FIN: FrameFlag.fin,
  RST: FrameFlag.rst,
};
const MESSAGE_TYPES: Record<string, number> = { ...MessageType, stdin_eof: MessageType.stdinEof };

const file = new URL('../../vectors/protocol.json', import.meta.url);
const [, ...vectors]: Vector[] = JSON.parse(readFileSync(file, 'utf8'));
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

const checks: Record<string, (vector: Vector) => void> = {
  frame(vector) {
    const wire = bytes(vector.hex);
    const header = {
      type: FRAME_TYPES[vector.type],
      flags: vector.flags.reduce((sum, name) => sum | (FLAGS[name] ?? Number.NaN), 0),
      streamId: vector.stream,
      length: vector.length,
    };
    const decoded = decodeFrameHeader(wire);
    expect(decoded).toEqual(header);
    expect(encodeFrameHeader(decoded)).toEqual(wire.subarray(0, FRAME_HEADER_BYTES));
    const payload = wire.subarray(FRAME_HEADER_BYTES);
    expect(payload).toEqual(bytes(vector.type === 'data' ? vector.payload : ''));
    if (vector.type === 'data') expect(payload).toHaveLength(vector.length);
  },
  message(vector) {
    const wire = bytes(vector.hex);
    const type = MESSAGE_TYPES[vector.type] ?? Number.NaN;
    const payload = bytes(vector.payload);
    const decoder = new MessageDecoder();
    const decoded = [...decoder.decode(wire)];
    expect(decoded).toEqual([{ type, payload, raw: wire }]);
    expect(decoder.idle).toBe(true);
    expect(encodeMessage(type, payload)).toEqual(wire);
    if ('json' in vector) expect(JSON.parse(payload.toString())).toEqual(vector.json);
    if (vector.type === 'resize') expect(encodeResize(vector.rows, vector.cols)).toEqual(wire);
    if (vector.type === 'signal') expect([...payload]).toEqual([vector.signal]);
    if (vector.type === 'result') {
      expect(vector.json).toMatchObject({ exit_code: parseResult(payload).exitCode });
    }
  },
  hello(vector) {
    expect(helloLine(vector.nonce)).toEqual(bytes(vector.hex));
  },
  ready(vector) {
    const step = new HandshakeReader(vector.nonce).push(bytes(vector.hex));
    expect(step).toEqual({ kind: 'ready', rest: Buffer.alloc(0) });
  },
  invalid_frame(vector) {
    expect(() => decodeFrameHeader(bytes(vector.hex))).toThrow(ProtocolError);
  },
  invalid_message(vector) {
    expect(() => [...new MessageDecoder().decode(bytes(vector.hex))]).toThrow(ProtocolError);
  },
};

test.each(vectors.map((vector) => [vector.kind, vector.name, vector] as const))(
  '%s: %s',
  (kind, _name, vector) => {
    const check = checks[kind];
    if (check === undefined) throw new Error(`no check for vectors of kind ${kind}`);
    check(vector);
  },
);

test('there are vectors of every kind, each name once, and every message type', () => {
  expect(new Set(vectors.map(({ kind }) => kind))).toEqual(new Set(Object.keys(checks)));
  expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length);
  const types = vectors.filter(({ kind }) => kind === 'message').map(({ type }) => MESSAGE_TYPES[type]);
  expect(new Set(types)).toEqual(new Set(Object.values(MessageType)));
});
