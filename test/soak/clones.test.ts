import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { inBatches } from '../e2e/fixture/batches.ts';
import { a3s } from '../e2e/fixture/cli.ts';
import { home } from '../e2e/fixture/home.ts';
import { recordOf } from '../e2e/fixture/records.ts';
import { warmTemplateHashes } from '../e2e/fixture/warm-templates.ts';

boxesOf('clones');
const RUNS = Number(process.env['A3S_SOAK_RUNS'] ?? 2000);

describe(`${RUNS} boxes one after another`, () => {
  test('all run, are all different, and leave template and state directory as they were', async () => {
    const before = await warmTemplateHashes(home());
    const runs = Array.from({ length: RUNS }, (_, n) => n % 256);
    const script = (n: number): string => `cat /proc/sys/kernel/random/uuid; exit ${n}`;
    const outcomes = await inBatches(runs, 2, async (n) => {
      const { status, out, err } = await a3s(['run', '--rm', 'a3s/base', 'sh', '-c', script(n)]);
      return { status, out, err };
    });
    expect(outcomes.map(({ status }) => status)).toEqual(runs);
    expect(outcomes.filter(({ err }) => err !== '')).toEqual([]);
    expect(new Set(outcomes.map(({ out }) => out)).size).toBe(RUNS);
    expect(await warmTemplateHashes(home())).toEqual(before);
  });
});

describe('one box', () => {
  test('takes 5000 execs, and neither it nor its monitor grows', async () => {
    const boxName = 'clones-execs';
    expect(await a3s(['run', '-d', '--name', boxName, 'a3s/base', 'sleep', '100000'])).toMatchObject({
      status: 0,
    });
    try {
      await a3s(['exec', boxName, 'true']);
      const before = residentKib(recordOf(boxName).pid);
      const runs = Array.from({ length: 5000 }, (_, n) => n % 256);
      const statuses = await inBatches(runs, 4, async (n) => {
        return (await a3s(['exec', boxName, 'sh', '-c', `exit ${n}`])).status;
      });
      expect(statuses).toEqual(runs);
      const { out } = await a3s(['exec', boxName, 'sh', '-c', 'ls /proc | grep -c "^[0-9]"']);
      expect(Number(out)).toBeLessThan(8);
      expect(residentKib(recordOf(boxName).pid)).toBeLessThan(before + 32 * 1024);
    } finally {
      await a3s(['rm', '-f', boxName]);
    }
  });
});

/** Memory of a process in RAM, in KiB. */
function residentKib(pid: number | null): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}
