/** What ADD unpacks is what commands find, holes and odd names included. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { temporaryDirectory } from '../../temporary.ts';
import { a3sOk } from '../fixture/cli.ts';
import { fill } from './fixture/context.ts';

/** By the suffix that the archive gets; none is compressed by hand. */
const COMPRESSIONS = { tar: [], gz: ['-z'], bz2: ['-j'], xz: ['-J'], zst: ['--zstd'] } as const;
const NAMES = Object.keys(COMPRESSIONS);

test('sparse archives, however compressed, reach commands and their mounts', async () => {
  const top = temporaryDirectory();
  const context = join(top, 'context');
  const packed = join(top, 'packed');
  const copies = NAMES.map((name) => `ADD a.${name} /${name}/\n`).join('');
  const mounts = '--mount=from=added,target=/m';
  const sums = NAMES.map((name) => `/${name}/d/s* /m/${name}/d/s*`).join(' ');
  fill(context, {
    Dockerfile: `FROM scratch AS added\n${copies}FROM a3s/base\nCOPY --from=added / /\nRUN ${mounts} md5sum ${sums} >/sums && du -k /gz/d >/size\nRUN touch /gz/d/*\n`,
  });
  fill(packed, { 'd/s\npace': 'start' });
  execFileSync('truncate', ['-s', '3000000', 's\npace'], { cwd: join(packed, 'd') });
  for (const [name, flags] of Object.entries(COMPRESSIONS)) {
    const words = [
      '-c',
      '-S',
      '--format=posix',
      '--hole-detection=raw',
      ...flags,
      '-f',
      `${context}/a.${name}`,
    ];
    execFileSync('tar', [...words, '-C', packed, 'd']);
  }
  const out = join(top, 'out');
  await a3sOk(['build', '-q', '-o', out, context]);
  const file = readFileSync(join(packed, 'd', 's\npace'));
  const sum = createHash('md5').update(file).digest('hex');
  const found = readFileSync(join(out, 'sums'), 'utf8').match(/[0-9a-f]{32}/g);
  expect(found).toEqual(NAMES.flatMap(() => [sum, sum]));
  expect(Number.parseInt(readFileSync(join(out, 'size'), 'utf8'), 10)).toBeLessThan(64);
  expect(readFileSync(join(out, 'gz/d', 's\npace')).equals(file)).toBe(true);
});
