import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { boxEvents } from '../../../src/state/box-events.ts';
import { formatBoxes } from '../../../src/state/boxes-format.ts';
import { updateBoxes } from '../../../src/state/boxes-file.ts';
import { appendEvents, parseEvent } from '../../../src/state/journal.ts';
import { layoutOf } from '../../../src/state/layout.ts';
import type { BoxRecord } from '../../../src/state/record.ts';
import { sampleBind, sampleRecord, sampleRecordIn } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';

const text = (...boxes: Partial<BoxRecord>[]): string => formatBoxes(boxes.map((box) => sampleRecord(box)));
const actions = (before: string, after: string): string[] =>
  boxEvents(before, after).map(({ action, attributes }) => {
    const { image: _image, name: _name, ...more } = attributes;
    return [action, ...Object.entries(more).map(([key, value]) => `${key}=${value}`)].join(' ');
  });

const NONE = text();
const started_at = '2026-01-02T03:04:05.000Z';
const finished_at = '2026-01-02T03:04:12.400Z';

test.for<[string, string, string, string[]]>([
  ['made', NONE, text({}), ['create']],
  ['made to be started', NONE, text({ status: 'starting' }), ['create']],
  ['started', text({ status: 'starting' }), text({ status: 'running' }), ['start']],
  [
    'ended',
    text({ status: 'running', started_at }),
    text({ status: 'stopped', started_at, finished_at, exit_code: 3 }),
    ['die execDuration=7 exitCode=3'],
  ],
  [
    'stopped',
    text({ status: 'running', started_at }),
    text({ status: 'stopped', started_at, finished_at, exit_code: 143, stopped_by_user: true }),
    ['die execDuration=7 exitCode=143'],
  ],
  [
    'out of memory',
    text({ status: 'running' }),
    text({ status: 'stopped', exit_code: 137, oom_killed: true }),
    ['oom', 'die execDuration=0 exitCode=137'],
  ],
  [
    'lost',
    text({ status: 'paused' }),
    text({ status: 'dead', exit_code: 137 }),
    ['die execDuration=0 exitCode=137'],
  ],
  ['paused', text({ status: 'running' }), text({ status: 'paused' }), ['pause']],
  ['continued', text({ status: 'paused' }), text({ status: 'running' }), ['unpause']],
  ['renamed', text({ name: 'old' }), text({ name: 'new' }), ['rename oldName=/old']],
  [
    'well',
    text({ status: 'running', health: 'starting' }),
    text({ status: 'running', health: 'healthy' }),
    ['health_status: healthy'],
  ],
  [
    'no longer checked, because it has ended',
    text({ status: 'running', health: 'healthy' }),
    text({ status: 'stopped', exit_code: 0, health: 'unhealthy' }),
    ['die execDuration=0 exitCode=0'],
  ],
  ['removed', text({}), NONE, ['destroy']],
  ['changed in what nobody is told of', text({}), text({ restart_count: 1 }), []],
  ['never started', text({ status: 'starting' }), text({ status: 'created' }), []],
])('a box that is %s', ([, before, after, expected]) => {
  expect(actions(before, after)).toEqual(expected);
});

test('events carry the labels, the image and the name; other boxes have none', () => {
  const other = { id: '4e54fbf9-99f5-4c1b-8d2e-0123456789ab', short_id: '4e54fbf999f5', name: 'other' };
  const after = text(other, { labels: { tier: 'front' } });
  expect(boxEvents(text(other), after)).toEqual([
    {
      type: 'container',
      action: 'create',
      id: '3e54fbf9-99f5-4c1b-8d2e-0123456789ab',
      attributes: { tier: 'front', image: 'a3s/base', name: 'brave_otter' },
    },
  ]);
  expect(boxEvents(after, text({ labels: { tier: 'front' } }, other))).toEqual([]);
});

test('a box with volumes mounts them before it starts, and leaves them before it has died', () => {
  const volumes = [
    sampleBind('/host', '/bind'),
    { ...sampleBind('/v', '/data'), type: 'volume', name: 'data' } as const,
    { ...sampleBind('/w', '/ro', { read_only: true }), type: 'volume', name: 'ro' } as const,
  ];
  const [idle, runs] = [text({ volumes }), text({ volumes, status: 'running' })];
  const id = '3e54fbf9-99f5-4c1b-8d2e-0123456789ab';
  const mount = (name: string, destination: string, writable: string) => ({
    type: 'volume',
    action: 'mount',
    id: name,
    attributes: { driver: 'local', container: id, destination, propagation: '', 'read/write': writable },
  });
  const unmount = (name: string) => ({
    type: 'volume',
    action: 'unmount',
    id: name,
    attributes: { driver: 'local', container: id },
  });
  expect(boxEvents(idle, runs)).toMatchObject([
    mount('data', '/data', 'true'),
    mount('ro', '/ro', 'false'),
    { type: 'container', action: 'start' },
  ]);
  expect(boxEvents(runs, text({ volumes, status: 'stopped', exit_code: 0 }))).toMatchObject([
    unmount('data'),
    unmount('ro'),
    { type: 'container', action: 'die' },
  ]);
});

test('every change of boxes.json is in the journal once, in order', async () => {
  const layout = layoutOf(temporaryDirectory());
  await updateBoxes(layout, (boxes) => void boxes.push(sampleRecordIn(layout, {})));
  await updateBoxes(layout, (boxes) => {
    for (const box of boxes) box.status = 'running';
  });
  await updateBoxes(layout, () => {});
  await updateBoxes(layout, (boxes) => void boxes.splice(0));
  const lines = readFileSync(layout.eventsFile, 'utf8').trimEnd().split('\n').map(parseEvent);
  expect(lines.map((event) => event?.action)).toEqual(['create', 'start', 'destroy']);
  const times = lines.map((event) => event?.time ?? 0n);
  expect(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0n))).toBe(true);
});

test('what comes after half a line begins on a line of its own', () => {
  const layout = layoutOf(temporaryDirectory());
  const event = (id: string) => ({ type: 'volume', action: 'create', id, attributes: {} }) as const;
  mkdirSync(layout.home, { recursive: true });
  appendEvents(layout, [event('first')]);
  appendFileSync(layout.eventsFile, '{"time":"17');
  appendEvents(layout, [event('second')]);
  appendEvents(layout, [event('third')]);
  const lines = readFileSync(layout.eventsFile, 'utf8').trimEnd().split('\n').map(parseEvent);
  expect(lines.map((line) => line?.id)).toEqual(['first', undefined, 'second', 'third']);
});

test('damaged lines are no events', () => {
  for (const line of ['', '{', '1', '{"time":1}', '{"time":"x","type":"container"}']) {
    expect(parseEvent(line)).toBeNull();
  }
});

test('a journal that cannot be written stops nobody', () => {
  const layout = { ...layoutOf(temporaryDirectory()), eventsFile: '/nowhere/at/all' };
  appendEvents(layout, [{ type: 'volume', action: 'create', id: 'v', attributes: {} }]);
});

test('a full journal goes on in a new file and keeps the last one', () => {
  const layout = layoutOf(temporaryDirectory());
  appendFileSync(layout.eventsFile, 'x'.repeat(16 * 1024 * 1024));
  const event = { type: 'volume', action: 'create', id: 'v', attributes: {} } as const;
  appendEvents(layout, [event]);
  appendEvents(layout, [event]);
  expect(readFileSync(layout.eventsFile, 'utf8').trimEnd().split('\n')).toHaveLength(1);
  expect(readFileSync(`${layout.eventsFile}.1`, 'utf8')).toMatch(/^x+\n\{.*\}\n$/);
});
