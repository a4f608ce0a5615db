import { expect, test } from 'vitest';

import { ProtocolError } from '../../../../src/runtime/protocol/frames.ts';
import { MessageType, encodeJsonMessage, encodeMessage } from '../../../../src/runtime/protocol/messages.ts';
import { AnswerReader, type Said } from '../../../../src/runtime/vsock/answer.ts';

const RESULT = encodeJsonMessage(MessageType.result, { exit_code: 3 });
const LOG = encodeJsonMessage(MessageType.log, { level: 'warn', message: 'a\u001b[2Jb' });
const OUT = encodeMessage(MessageType.stdout, Buffer.from('out'));
const ERR = encodeMessage(MessageType.stderr, Buffer.from('err'));
const STARTED = encodeJsonMessage(MessageType.started, { pid: 7 });

interface Heard {
  said: Said[];
  error: ProtocolError | null;
}

function hear(reader: AnswerReader, bytes: Buffer): Heard {
  const said: Said[] = [];
  try {
    for (const each of reader.read(bytes)) said.push(each);
  } catch (error) {
    if (error instanceof ProtocolError) return { said, error };
    throw error;
  }
  return { said, error: null };
}

test('an answer is its start, its output, the agent’s words as plain text, and its result', () => {
  const reader = new AnswerReader();
  const { said, error } = hear(reader, Buffer.concat([STARTED, OUT, LOG, ERR]));
  expect(error).toBeNull();
  expect(said).toEqual([
    { kind: 'started', transfer: false },
    { kind: 'stdout', message: { type: MessageType.stdout, payload: Buffer.from('out'), raw: OUT } },
    { kind: 'log', level: 'warn', text: 'a?[2Jb' },
    { kind: 'stderr', message: { type: MessageType.stderr, payload: Buffer.from('err'), raw: ERR } },
  ]);
  expect(reader.ended).toBe(false);
  expect(hear(reader, RESULT).said).toEqual([{ kind: 'result', result: { exitCode: 3 } }]);
  expect([reader.ended, reader.idle]).toEqual([true, true]);
});

test('a stream that stops in the middle of a message is told from one that stops between two', () => {
  const reader = new AnswerReader();
  hear(reader, Buffer.concat([OUT, LOG.subarray(0, 2)]));
  expect([reader.ended, reader.idle]).toEqual([false, false]);
  hear(reader, LOG.subarray(2));
  expect([reader.ended, reader.idle]).toEqual([false, true]);
});

test.for<[string, Buffer, string]>([
  ['a start that is no JSON', encodeMessage(MessageType.started), 'started is not valid JSON'],
  ['a log that is none', encodeJsonMessage(MessageType.log, ['x']), 'log is not a JSON object'],
  ['an empty result', encodeMessage(MessageType.result), 'the result is empty'],
  ['an unknown type', encodeMessage(0x77), 'unknown message type 119'],
  ['a type that only hosts send', encodeMessage(MessageType.request), 'message type 1 from the guest'],
])('%s is an error with its bytes, after everything before it', ([, bytes, why]) => {
  const { said, error } = hear(new AnswerReader(), Buffer.concat([OUT, LOG, bytes, RESULT]));
  expect(said.map(({ kind }) => kind)).toEqual(['stdout', 'log']);
  expect([error?.message, error?.raw]).toEqual([why, bytes]);
});

test('there is one result: a guest that goes on after it breaks the protocol', () => {
  for (const more of [RESULT, OUT]) {
    const { said, error } = hear(new AnswerReader(), Buffer.concat([RESULT, more]));
    expect(said).toEqual([{ kind: 'result', result: { exitCode: 3 } }]);
    expect([error?.message, error?.raw]).toEqual(['the guest went on after its result', more]);
  }
});
