import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { trace, traceFile, traceTo } from '../../src/trace.ts';
import { temporaryDirectory } from '../temporary.ts';

interface Event {
  name: string;
  ph: string;
  ts?: number;
  dur?: number;
  pid: number;
}

/** The list may stay open in a trace, for a viewer. */
function eventsOf(file: string): Event[] {
  const events: Event[] = JSON.parse(readFileSync(file, 'utf8').replace(/,\n$/, ']'));
  return events;
}

test('milestones become spans that follow each other on the clock of all processes', () => {
  const file = join(temporaryDirectory(), 'trace.json');
  traceTo('');
  trace('before it is asked for');
  const before = Number(process.hrtime.bigint()) / 1000;
  traceTo(file);
  expect(traceFile()).toBe(file);
  trace('first');
  trace('second');
  const after = Number(process.hrtime.bigint()) / 1000;
  traceTo('');
  trace('after it is over');
  const [name, first, second, ...rest] = eventsOf(file);
  expect(rest).toEqual([]);
  expect(name).toMatchObject({ name: 'process_name', ph: 'M', pid: process.pid });
  expect(first).toMatchObject({ name: 'first', ph: 'X', pid: process.pid });
  expect(second).toMatchObject({ name: 'second', ph: 'X' });
  const end = (event: Event | undefined): number => (event?.ts ?? NaN) + (event?.dur ?? NaN);
  expect(first?.ts).toBeGreaterThanOrEqual(before);
  expect(second?.ts).toBeCloseTo(end(first), 3);
  expect(end(second)).toBeLessThanOrEqual(after);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('another process adds its spans to the file', () => {
  const file = join(temporaryDirectory(), 'trace.json');
  traceTo(file);
  trace('one');
  traceTo('');
  traceTo(file);
  trace('two');
  traceTo('');
  expect(eventsOf(file).map(({ name }) => name)).toEqual(['process_name', 'one', 'process_name', 'two']);
});
