import { expect, test } from 'vitest';

import { createBox } from '../../../src/engine/create.ts';
import { execInBox } from '../../../src/runtime/exec-client.ts';
import { runDetached } from '../../../src/runtime/control-client.ts';
import { MessageDecoder } from '../../../src/runtime/protocol/messages.ts';
import { MAX_REQUEST_BYTES, encodeRequest } from '../../../src/runtime/protocol/request.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import { sampleRecord } from '../../sample-record.ts';
import { createOptions, testEngine } from '../engine/fixture/engine.ts';

const MOST = MAX_REQUEST_BYTES - '{"a":""}'.length;
const TOO_LONG = / bytes together, more than the \d+ that can be passed$/;
const long = ['V='.padEnd(MAX_REQUEST_BYTES, 'x')];
const spec = { cmd: ['true'], env: long, tty: false, openStdin: false, privileged: false };

test('a request of the greatest length is one that can be read', () => {
  const value = { a: 'x'.repeat(MOST) };
  const [message] = new MessageDecoder().decode(encodeRequest(value));
  expect(JSON.parse(message?.payload.toString() ?? '')).toEqual(value);
});

test('a request that is one byte longer is refused with the limit', () => {
  expect(() => encodeRequest({ a: 'x'.repeat(MOST + 1) })).toThrow(
    'the command, its environment and labels take 1048577 bytes together, more than the 1048576 that can be passed',
  );
});

test.each([
  ['exec', execInBox],
  ['exec -d', runDetached],
])('%s with more than a request holds is refused before the box is asked', async (_name, run) => {
  await expect(run(sampleRecord(), spec)).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringMatching(TOO_LONG),
  });
});

test('a box that could not be started for its size is not made', async () => {
  const engine = testEngine();
  await expect(createBox(engine, createOptions({ env: long }))).rejects.toThrow(TOO_LONG);
  expect(await readBoxes(engine.layout)).toEqual([]);
});
