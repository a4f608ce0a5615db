import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { keptFigures } from '../../../src/engine/box-usage.ts';
import { boxPaths } from '../../../src/state/layout.ts';
import { sampleRecord } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';

const STARTED = '2026-01-02T03:04:05.000Z';
const USAGE = {
  time_ns: 1,
  cpu_ns: 2,
  memory_bytes: 30,
  inactive_file_bytes: 10,
  memory_limit_bytes: 40,
  pids: 5,
  received_bytes: 6,
  sent_bytes: 7,
  read_bytes: 8,
  written_bytes: 9,
};

/** What is read of a file with this content; without it there is none. */
function kept(content?: string) {
  const record = sampleRecord({ box_dir: temporaryDirectory(), started_at: STARTED });
  mkdirSync(record.box_dir, { recursive: true });
  if (content !== undefined) writeFileSync(boxPaths(record.box_dir).pausedUsage, content);
  return keptFigures(record);
}

test('the figures of a pause are read again', () => {
  expect(kept(JSON.stringify({ started_at: STARTED, usage: USAGE }))).toEqual({
    timeNs: 1,
    cpuNs: 2,
    memoryBytes: 20,
    memoryLimitBytes: 40,
    pids: 5,
    receivedBytes: 6,
    sentBytes: 7,
    readBytes: 8,
    writtenBytes: 9,
  });
});

test.each([
  ['no file', undefined],
  ['half a file', '{"started_at"'],
  ['no object', '[]'],
  ['figures of another run', JSON.stringify({ started_at: '2026-01-01T00:00:00.000Z', usage: USAGE })],
  ['a figure that is none', JSON.stringify({ started_at: STARTED, usage: { ...USAGE, pids: '5' } })],
  ['a figure below zero', JSON.stringify({ started_at: STARTED, usage: { ...USAGE, pids: -1 } })],
  ['a figure without bound', JSON.stringify({ started_at: STARTED, usage: USAGE }).replace(':5,', ':1e999,')],
])('of %s nothing is known', (_what, content) => {
  expect(kept(content)).toBeNull();
});
