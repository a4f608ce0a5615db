import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { provideScratch } from '../../../src/runtime/monitor/scratch.ts';
import { temporaryDirectory } from '../../temporary.ts';

test('a first start copies the blank disk, a later one keeps what is there', () => {
  const dir = temporaryDirectory();
  const original = join(dir, 'original');
  const scratch = join(dir, 'scratch');
  writeFileSync(original, 'blank', { mode: 0o400 });
  writeFileSync(scratch, 'left from a start that failed');
  provideScratch(scratch, original, false);
  expect(readFileSync(scratch, 'utf8')).toBe('blank');
  expect(statSync(scratch).mode & 0o777).toBe(0o600);
  writeFileSync(scratch, 'writes of the box');
  provideScratch(scratch, original, true);
  expect(readFileSync(scratch, 'utf8')).toBe('writes of the box');
});

test('a lost disk is an error, never a blank one in its place', () => {
  const path = join(temporaryDirectory(), 'scratch');
  expect(() => provideScratch(path, '/dev/null', true)).toThrow(
    expect.objectContaining({ code: 'state_corrupt', message: `the box's disk ${path} is missing` }),
  );
});
