import { mkdirSync } from 'node:fs';

import { expect, test } from 'vitest';

import { parseEventFilters } from '../../../src/engine/event-filters.ts';
import { type DatedEvent, readEvents } from '../../../src/engine/events.ts';
import { appendEvents } from '../../../src/state/journal.ts';
import { testEngine } from './fixture/engine.ts';

const ID = '3e54fbf9-99f5-4c1b-8d2e-0123456789ab';
const box: DatedEvent = {
  time: 1n,
  type: 'container',
  action: 'exec_start: true',
  id: ID,
  attributes: { name: 'web', image: 'alpine:3.10', tier: 'front' },
};
const image: DatedEvent = {
  time: 1n,
  type: 'image',
  action: 'pull',
  id: 'alpine:3.10',
  attributes: { name: 'alpine' },
};
const volume: DatedEvent = {
  time: 1n,
  type: 'volume',
  action: 'create',
  id: 'data',
  attributes: { driver: 'local' },
};

test.for<[string[], boolean[]]>([
  [[], [true, true, true]],
  [['type=container'], [true, false, false]],
  [
    ['type=container', 'type=image'],
    [true, true, false],
  ],
  [
    ['type=container', 'event=pull'],
    [false, false, false],
  ],
  [['container=web'], [true, false, false]],
  [['container=3e54'], [true, false, false]],
  [['image=alpine'], [true, true, false]],
  [['image=alpine:3.10'], [true, true, false]],
  [['volume=data'], [false, false, true]],
  [['event=exec_start'], [true, false, false]],
  [['event=exec_start: true'], [true, false, false]],
  [['label=tier'], [true, false, false]],
  [
    ['label=tier=front', 'label=nosuch'],
    [false, false, false],
  ],
  [['scope=local'], [true, true, true]],
  [['network=x'], [false, false, false]],
])('the filters %j', ([filters, expected]) => {
  const matches = parseEventFilters(filters);
  expect([box, image, volume].map(matches)).toEqual(expected);
});

test('an unknown filter is refused in docker’s words', () => {
  expect(() => parseEventFilters(['nosuch=1'])).toThrow("invalid filter 'nosuch'");
});

function engineWithHome() {
  const engine = testEngine();
  mkdirSync(engine.layout.home, { recursive: true });
  return engine;
}

const ALL = { since: 0n, until: undefined, filters: [] };
const event = (id: string) => ({ type: 'volume', action: 'create', id, attributes: {} }) as const;

test('past events come first, new ones as they happen', async () => {
  const engine = engineWithHome();
  const events = readEvents(engine, ALL);
  const first = events.next();
  appendEvents(engine.layout, [event('a'), event('b')]);
  expect((await first).value).toMatchObject({ id: 'a' });
  expect((await events.next()).value).toMatchObject({ id: 'b' });
  const next = events.next();
  appendEvents(engine.layout, [event('c')]);
  expect((await next).value).toMatchObject({ id: 'c' });
  await events.return(undefined);
});

test('the reading ends at the time that was asked for', async () => {
  const engine = engineWithHome();
  appendEvents(engine.layout, [event('a')]);
  const until = BigInt(Date.now() + 150) * 1_000_000n;
  const ids: string[] = [];
  for await (const { id } of readEvents(engine, { ...ALL, until })) ids.push(id);
  expect(ids).toEqual(['a']);
  expect(BigInt(Date.now()) * 1_000_000n).toBeGreaterThan(until);
});

test('without a time in the past only new events are shown', async () => {
  const engine = engineWithHome();
  appendEvents(engine.layout, [event('old')]);
  // The clock must have moved on since: events count by milliseconds here.
  const written = Date.now();
  while (Date.now() <= written + 1) await new Promise((resolve) => setImmediate(resolve));
  const events = readEvents(engine, { ...ALL, since: undefined });
  const next = events.next();
  await new Promise((resolve) => setImmediate(resolve));
  appendEvents(engine.layout, [event('new')]);
  expect((await next).value).toMatchObject({ id: 'new' });
  await events.return(undefined);
});

test('none of the events of eight writers is lost or damaged', async () => {
  const engine = engineWithHome();
  const writers = Array.from({ length: 8 }, (_, writer) => writer);
  const reading = (async () => {
    const seen: string[] = [];
    for await (const { id } of readEvents(engine, ALL)) {
      seen.push(id);
      if (seen.length === 1600) return seen;
    }
    return seen;
  })();
  await Promise.all(
    writers.map(async (writer) => {
      for (let n = 0; n < 200; n += 1) {
        appendEvents(engine.layout, [event(`${writer}-${n}`)]);
        if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  );
  expect(new Set(await reading).size).toBe(1600);
});
