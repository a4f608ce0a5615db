import { expect, test } from 'vitest';

import { RawJsonDisplay } from '../../../../src/commands/builds/progress/raw-json.ts';
import { FakeTarget } from './fake-target.ts';

const time = Date.UTC(2026, 0, 1);
const at = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T00:00:01.500Z';

test('each piece of news is a line', () => {
  const target = new FakeTarget();
  const display = new RawJsonDisplay(target);
  display.event({ kind: 'step', id: 1, name: 'RUN make' });
  display.event({ kind: 'started', id: 1, time });
  display.event({ kind: 'output', id: 1, stream: 'stderr', bytes: Buffer.from([0xff, 0x0a]), time });
  display.event({ kind: 'progress', id: 1, label: 'exporting', current: 1, total: 4, done: false, time });
  display.event({ kind: 'progress', id: 1, label: 'exporting', current: 4, done: true, time: time + 1500 });
  display.event({ kind: 'done', id: 1, time: time + 1500 });
  display.event({ kind: 'step', id: 2, name: 'COPY x' });
  display.event({ kind: 'started', id: 2, time });
  display.event({ kind: 'failed', id: 2, time, message: 'no', cancelled: false });
  display.event({
    kind: 'warning',
    warning: { rule: 'R', description: 'why', url: 'http://x', message: 'what', lines: [[3, 4]] },
  });
  display.end();
  const lines = target
    .taken()
    .trimEnd()
    .split('\n')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compared below
    .map((line) => JSON.parse(line) as Record<string, Record<string, unknown>[]>);
  const digest = lines[0]?.['vertexes']?.[0]?.['digest'];
  const other = lines[6]?.['vertexes']?.[0]?.['digest'];
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(other).not.toBe(digest);
  const step = { digest, name: 'RUN make' };
  expect(lines).toEqual([
    { vertexes: [step] },
    { vertexes: [{ ...step, started: at }] },
    { logs: [{ vertex: digest, stream: 2, data: '/wo=', timestamp: at }] },
    { statuses: [{ id: 'exporting', vertex: digest, total: 4, current: 1, timestamp: at, started: at }] },
    {
      statuses: [
        {
          id: 'exporting',
          vertex: digest,
          total: 4,
          current: 4,
          timestamp: later,
          started: at,
          completed: later,
        },
      ],
    },
    { vertexes: [{ ...step, started: at, completed: later }] },
    { vertexes: [{ digest: other, name: 'COPY x' }] },
    { vertexes: [{ digest: other, name: 'COPY x', started: at }] },
    { vertexes: [{ digest: other, name: 'COPY x', started: at, completed: at, error: 'no' }] },
    {
      warnings: [
        {
          level: 1,
          short: Buffer.from('R: what (line 3)').toString('base64'),
          detail: [Buffer.from('why').toString('base64')],
          url: 'http://x',
          range: [{ start: { line: 3 }, end: { line: 4 } }],
        },
      ],
    },
  ]);
});
