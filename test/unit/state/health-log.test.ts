import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { NO_RESULTS, readHealthLog, writeHealthLog } from '../../../src/state/health-log.ts';
import { temporaryDirectory } from '../../temporary.ts';

const result = { start: '2026-01-02T03:04:05.000000000Z', end: '2026-01-02T03:04:06.000000000Z' };
const sound = { ...result, exit_code: 0, output: '' };

test('what is written is read, and leaves one file', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'health.json');
  const log = { failing_streak: 2, results: [{ ...result, exit_code: -1, output: 'é\n' }] };
  writeHealthLog(path, log);
  expect(readHealthLog(path)).toEqual(log);
  expect(readdirSync(directory)).toEqual(['health.json']);
});

test.each([
  ['no JSON', '{'],
  ['no object', '[]'],
  ['no streak', '{"results":[]}'],
  ['no list', '{"failing_streak":0,"results":{}}'],
  [
    'a result without its output',
    JSON.stringify({ failing_streak: 0, results: [{ ...result, exit_code: 0 }] }),
  ],
  [
    'too many results',
    JSON.stringify({ failing_streak: 0, results: Array.from({ length: 6 }, () => sound) }),
  ],
])('a file with %s counts as none', (_what, text) => {
  const path = join(temporaryDirectory(), 'health.json');
  writeFileSync(path, text);
  expect(readHealthLog(path)).toEqual(NO_RESULTS);
});

test('a missing file counts as one without results', () => {
  expect(readHealthLog(join(temporaryDirectory(), 'health.json'))).toEqual(NO_RESULTS);
});
