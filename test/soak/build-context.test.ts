/** A context larger than any memory: what it takes is bounded, and what comes of it is exact. */
import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { a3sOk } from '../e2e/fixture/cli.ts';
import { peakOf } from '../e2e/fixture/peak.ts';
import { temporaryDirectory } from '../temporary.ts';
import { fill } from '../e2e/build/fixture/context.ts';

const GIB = 1024 ** 3;
const NAME = 'build-soak:1';

test('a file of 2 GiB, mostly holes, is copied with less than 400 MiB of memory', async () => {
  const top = temporaryDirectory();
  const context = join(top, 'context');
  fill(context, { Dockerfile: 'FROM a3s/base\nCOPY . /in/\nRUN md5sum </in/large >/sum\n', large: '' });
  const file = join(context, 'large');
  const large = openSync(file, 'r+');
  for (const at of [0, GIB - 1, 2 * GIB - 7]) writeSync(large, 'content', at);
  ftruncateSync(large, 2 * GIB);
  closeSync(large);
  const peak = await peakOf(['build', '-q', '-t', NAME, context]);
  expect(peak).toBeLessThan(400 * 1024);
  const sum = execFileSync('sh', ['-c', 'md5sum <"$1"', 'sh', file]).toString().trim();
  expect(await a3sOk(['run', '--rm', NAME, 'cat', '/sum'])).toBe(sum);
  await a3sOk(['rmi', '-f', NAME]);
});
