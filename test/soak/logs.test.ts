/** A million lines at full speed, half of them on each stream at once: none lost, none out of order, with and without rotation. */
import { createHash } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { a3s, CliProcess } from '../e2e/fixture/cli.ts';

const boxes = boxesOf('soak-logs');
const LINES = 1_000_000;
const DEADLINE_MS = 30 * 60_000;

/** Of the lines from the first to the last number. */
function hashOfNumbers(first: number, last: number): string {
  const hash = createHash('sha256');
  for (let n = first; n <= last; n += 1) hash.update(`${n}\n`);
  return hash.digest('hex');
}
const EXPECTED = { out: hashOfNumbers(1, LINES / 2), err: hashOfNumbers(LINES / 2 + 1, LINES) };

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

describe.each([
  ['one file', []],
  ['rotated files', ['--log-opt', 'max-size=1m', '--log-opt', 'max-file=500']],
])('%s', (_, flags) => {
  test('a million lines reach two followers and the log', async () => {
    const script = `seq 1 ${LINES / 2} & seq ${LINES / 2 + 1} ${LINES} >&2; wait`;
    const name = await boxes.detached('million', [...flags, 'a3s/base', 'sh', '-c', script]);
    const followers = [1, 2].map(() => new CliProcess(['logs', '-f', name], { deadlineMs: DEADLINE_MS }));
    for (const follower of followers) {
      const { out, err, status } = await follower.ended;
      expect({ status, out: hashOf(out), err: hashOf(err) }).toEqual({ status: 0, ...EXPECTED });
    }
    const stamped = await a3s(['logs', '-t', name], { deadlineMs: DEADLINE_MS });
    for (const stream of ['out', 'err'] as const) {
      let last = '';
      for (const line of stamped[stream].trimEnd().split('\n')) {
        const time = line.slice(0, 30);
        if (time < last) throw new Error(`${time} comes after ${last}`);
        last = time;
      }
      expect(hashOf(stamped[stream].replaceAll(/^.{31}/gm, ''))).toBe(EXPECTED[stream]);
    }
  });
});
