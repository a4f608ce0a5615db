/** A large file into a box and out of it: the same bytes, and a command that holds none of them for long. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { peakOf } from '../e2e/fixture/peak.ts';
import { temporaryDirectory } from '../temporary.ts';

const GIB = 1024 ** 3;
const boxes = boxesOf('copy-soak');

test('2 GiB go in and out with less than 200 MiB of memory', async () => {
  const top = temporaryDirectory();
  const file = join(top, 'large');
  execFileSync('sh', [
    '-c',
    'yes "$2" | head -c "$3" >"$1"',
    'sh',
    file,
    'some line of text',
    String(2 * GIB),
  ]);
  const box = await boxes.detached('large', ['a3s/base', 'sleep', '100000']);
  for (const words of [
    [file, `${box}:/large`],
    [`${box}:/large`, join(top, 'back')],
  ]) {
    expect(await peakOf(['cp', ...words])).toBeLessThan(200 * 1024);
  }
  execFileSync('cmp', [file, join(top, 'back')]);
});
