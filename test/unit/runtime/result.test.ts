import { expect, test } from 'vitest';

import { ProtocolError } from '../../../src/runtime/protocol/frames.ts';
import { parseObject, parseResult } from '../../../src/runtime/protocol/result.ts';

const parse = (text: string): unknown => parseResult(Buffer.from(text));

test.each([
  ['{"exit_code":0}', { exitCode: 0 }],
  ['{"exit_code":255}', { exitCode: 255 }],
  ['{"exit_code":137,"signal":9,"oom_killed":true}', { exitCode: 137, signal: 9, oomKilled: true }],
  ['{"exit_code":124,"timed_out":true}', { exitCode: 124, timedOut: true }],
  ['{"exit_code":3,"signal":null,"oom_killed":false,"timed_out":false,"error":null}', { exitCode: 3 }],
  [
    '{"exit_code":127,"error":{"code":"not_found","stage":"exec","message":"exec: \\"x\\""}}',
    { exitCode: 127, error: { code: 'not_found', stage: 'exec', message: 'exec: "x"' } },
  ],
  ['{"exit_code":1,"error":{"code":7}}', { exitCode: 1, error: { code: '', stage: '', message: '' } }],
  ['{"exit_code":1,"error":"text"}', { exitCode: 1, error: { code: '', stage: '', message: '' } }],
])('%s is understood', (text, result) => {
  expect(parse(text)).toEqual(result);
});

test.each([
  '',
  'null',
  '[]',
  '7',
  '"x"',
  '{',
  '{}',
  '{"exit_code":"0"}',
  '{"exit_code":-1}',
  '{"exit_code":256}',
  '{"exit_code":0.5}',
  '{"exit_code":1e999}',
  '{"exit_code":0,"signal":"KILL"}',
  '{"exit_code":0,"signal":-1}',
  '{"exit_code":0}{"exit_code":1}',
])('%j is refused', (text) => {
  expect(() => parse(text)).toThrow(ProtocolError);
});

test('a message from the guest is cut to 4096 characters', () => {
  const long = 'm'.repeat(100_000);
  expect(parse(JSON.stringify({ exit_code: 1, error: { code: 'io', stage: long, message: long } }))).toEqual({
    exitCode: 1,
    error: { code: 'io', stage: 'm'.repeat(4096), message: 'm'.repeat(4096) },
  });
});

test('control characters do not reach a terminal', () => {
  const error = { code: 'io', stage: 'a\u009bb', message: 'x\u001b[2J\r\n\u0000y' };
  expect(parse(JSON.stringify({ exit_code: 1, error }))).toEqual({
    exitCode: 1,
    error: { code: 'io', stage: 'a?b', message: 'x?[2J???y' },
  });
});

test('deeply nested JSON is refused or read, never a crash', () => {
  const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
  expect(() => parseObject(Buffer.from(deep), 'result')).toThrow(ProtocolError);
});
