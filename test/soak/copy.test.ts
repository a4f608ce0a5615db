/** A large file into a box and out of it: the same bytes, and a command that holds none of them for long. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { CliProcess } from '../e2e/fixture/cli.ts';
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

/** Peak memory of a command that must succeed, in KiB. */
async function peakOf(words: string[]): Promise<number> {
  const command = new CliProcess(words, { deadlineMs: 1_800_000 });
  command.child.stdin.end();
  let peak = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${command.pid}/status`, 'utf8');
      peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? peak);
    } catch {
      // It has ended.
    }
  }, 200);
  const { status, err } = await command.ended.finally(() => clearInterval(timer));
  expect({ status, err }).toEqual({ status: 0, err: '' });
  return peak;
}
