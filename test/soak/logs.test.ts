/** A million lines at full speed: none lost, none out of order, with and without rotation. */
import { createHash } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { a3sOk, CliProcess } from '../e2e/fixture/cli.ts';

const boxes = boxesOf('soak-logs');
const LINES = 1_000_000;
const DEADLINE_MS = 30 * 60_000;

function expectedHash(): string {
  const hash = createHash('sha256');
  for (let n = 1; n <= LINES; n += 1) hash.update(`${n}\n`);
  return hash.digest('hex');
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

describe.each([
  ['one file', []],
  ['rotated files', ['--log-opt', 'max-size=1m', '--log-opt', 'max-file=500']],
])('%s', (_, flags) => {
  test('a million lines reach two followers and the log', async () => {
    const script = `seq 1 ${LINES}`;
    const name = await boxes.detached('million', [...flags, 'a3s/base', 'sh', '-c', script]);
    const followers = [1, 2].map(() => new CliProcess(['logs', '-f', name], { deadlineMs: DEADLINE_MS }));
    for (const follower of followers) {
      const { out, status } = await follower.ended;
      expect([status, hashOf(out)]).toEqual([0, expectedHash()]);
    }
    const stamped = await a3sOk(['logs', '-t', name], { deadlineMs: DEADLINE_MS });
    let last = '';
    for (const line of stamped.split('\n')) {
      const time = line.slice(0, 30);
      if (time < last) throw new Error(`${time} comes after ${last}`);
      last = time;
    }
    const lines = stamped.split('\n').map((line) => line.slice(31));
    expect(hashOf(`${lines.join('\n')}\n`)).toBe(expectedHash());
  });
});
