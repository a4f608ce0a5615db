import { expect, test } from 'vitest';

import type { CommandContext } from '../../../src/commands/command.ts';
import { forEachBox } from '../../../src/commands/several.ts';
import { A3sError } from '../../../src/errors.ts';
import { contextStub } from './context-stub.ts';

function harness(): { context: CommandContext; printed: string[]; reported: string[] } {
  const printed: string[] = [];
  const reported: string[] = [];
  const context = contextStub({
    print: async (text) => void printed.push(text),
    report: (error) => void reported.push(error instanceof Error ? error.message : ''),
  });
  return { context, printed, reported };
}

const missing = (name: string) => new A3sError('no_such_box', `No such container: ${name}`);
const work = async (name: string) => {
  if (name.startsWith('no')) throw missing(name);
};

test('each name is printed as it was given, and one failure does not hold up the rest', async () => {
  const { context, printed, reported } = harness();
  expect(await forEachBox(context, ['a', 'nob', 'c'], work)).toBe(1);
  expect(printed).toEqual(['a\n', 'c\n']);
  expect(reported).toEqual(['No such container: nob']);
});

test('a command may have another answer than the name', async () => {
  const { context, printed } = harness();
  const answer = (name: string, value: unknown): string => `${name}=${String(value)}`;
  expect(await forEachBox(context, ['a', 'b'], (name) => Promise.resolve(name.length), { answer })).toBe(0);
  expect(printed).toEqual(['a=1\n', 'b=1\n']);
});

test('without a failure the status is 0', async () => {
  expect(await forEachBox(harness().context, ['a'], work)).toBe(0);
});

test('a forgiven failure is reported and does not count', async () => {
  const { context, reported } = harness();
  const status = await forEachBox(context, ['nob'], work, {
    forgives: (error) => error.code === 'no_such_box',
  });
  expect([status, reported.length]).toEqual([0, 1]);
});

test('the boxes are worked on at the same time, the answers keep their order', async () => {
  const { context, printed } = harness();
  const { promise: secondDone, resolve } = Promise.withResolvers<void>();
  const status = await forEachBox(context, ['first', 'second'], async (name) => {
    if (name === 'first') await secondDone;
    else resolve();
  });
  expect([status, printed]).toEqual([0, ['first\n', 'second\n']]);
});

test('those that failed are summed up at the end, if a command does so', async () => {
  const lines: string[] = [];
  const context = contextStub({
    report: (error) => void lines.push(error instanceof Error ? error.message : ''),
    warn: (line) => void lines.push(line),
  });
  const summary = (failed: readonly string[]): string => `not ${failed.join(', ')}`;
  expect(await forEachBox(context, ['a'], work, { summary })).toBe(0);
  expect(lines).toEqual([]);
  expect(await forEachBox(context, ['nob', 'a', 'noc'], work, { summary })).toBe(1);
  expect(lines).toEqual(['No such container: nob', 'No such container: noc', 'not nob, noc']);
});
