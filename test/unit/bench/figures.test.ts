import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { TREE_DIGEST, expectFile, fileDigest, treeDigest } from '../../../bench/digest.ts';
import { peakMemory } from '../../../bench/peak-memory.ts';
import { parseRollup } from '../../../bench/processes.ts';
import { goalsAsMarkdown, keep } from '../../../bench/report.ts';
import { rowOf, valueRow } from '../../../bench/rows.ts';
import { temporaryDirectory } from '../../temporary.ts';

function inDirectory<T>(work: (dir: string) => T): T {
  const dir = mkdtempSync('/tmp/a3s-bench-test-');
  try {
    return work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('a row beside another is by rounds', () => {
  const row = rowOf('cp', 'ms', [10, 40, 30], { beside: { name: 'podman', values: [10, 20, 60] } });
  expect([row.ours.median, row.beside?.figures.median, row.ratio]).toEqual([30, 20, 1]);
});

test('private memory counts what was swapped out, and tells it from pages of files', () => {
  const text = [
    '55d0-7ffe ---p 00000000 00:00 0 [rollup]',
    'Rss:              10240 kB',
    'Pss:               5120 kB',
    'Pss_Dirty:          512 kB',
    'Shared_Clean:      3072 kB',
    'Shared_Dirty:      1024 kB',
    'Private_Clean:     2048 kB',
    'Private_Dirty:     4096 kB',
    'Swap:              1024 kB',
    'SwapPss:            100 kB',
  ].join('\n');
  expect(parseRollup(text)).toEqual({ written: 5, clean: 2, shared: 4, proportional: 5 });
});

test('the digest of a tree is what a shell says, and another one when a byte differs', () => {
  inDirectory((dir) => {
    for (let n = 0; n < 12; n += 1) writeFileSync(join(dir, `file-${n}`), `content ${n}\n`);
    const digest = treeDigest(dir);
    const said = execFileSync('sh', ['-c', TREE_DIGEST], { cwd: dir, encoding: 'utf8' });
    expect(digest).toBe(said.trim());
    writeFileSync(join(dir, 'file-3'), 'content 4\n');
    expect(treeDigest(dir)).not.toBe(digest);
  });
});

test('a file with other bytes is not what was copied', async () => {
  const dir = mkdtempSync('/tmp/a3s-bench-test-');
  writeFileSync(join(dir, 'a'), 'a');
  writeFileSync(join(dir, 'b'), 'b');
  const digest = await fileDigest(join(dir, 'a'));
  await expectFile(join(dir, 'a'), digest);
  await expect(expectFile(join(dir, 'b'), digest)).rejects.toThrow(`instead of ${digest}`);
  rmSync(dir, { recursive: true });
});

test('the memory of a command is that of all its processes', async () => {
  // They hold it for a second from when all are there.
  const hold = (count: number): string[] => [
    '-e',
    `Buffer.alloc(100e6, 1); const { readdirSync, writeFileSync } = require("node:fs"); writeFileSync(String(process.pid), "");
    const timer = setInterval(() => readdirSync(".").length < ${count} || (clearInterval(timer), setTimeout(() => {}, 1000)), 20)`,
  ];
  const held = (command: string): string[] => ['sh', '-c', `cd '${temporaryDirectory()}' && ${command}`];
  const node = (count: number): string =>
    [process.execPath, ...hold(count)].map((word) => `'${word}'`).join(' ');
  const alone = await peakMemory({ name: 'one', command: held(`exec ${node(1)}`) });
  expect(alone.mib).toBeGreaterThan(95);
  // One of them in a session of its own.
  const two = await peakMemory({ name: 'two', command: held(`{ ${node(2)} & setsid ${node(2)}; wait; }`) });
  expect(two.mib).toBeGreaterThan(alone.mib * 1.8);
  await expect(peakMemory({ name: 'bad', command: ['false'] })).rejects.toThrow('bad failed with status 1');
});

test('what is kept tells of measures that failed, and of each goal', () => {
  const run = rowOf('run', 'ms', [100], {
    beside: { name: 'podman', values: [200] },
    goal: { most: 0.8, of: 'ratio' },
  });
  const results = [
    { name: 'run', title: 'Runs', rows: [run, valueRow('memory', 'MiB', 61, 60)] },
    { name: 'cp', title: 'Copies', rows: [], failed: 'no room' },
  ];
  expect(goalsAsMarkdown(results).split('\n')).toEqual([
    '|  | goal | measured |  |',
    '| --- | --- | --- | --- |',
    '| run ÷ podman | ≤ 0.8 | 0.50 | met |',
    '| memory | ≤ 60 | 61 MiB | MISSED |',
    '| Copies |  |  | FAILED |',
  ]);
  inDirectory((dir) => {
    const kept = join(dir, 'kept');
    mkdirSync(kept);
    keep(kept, results, { machine: { accelerator: 'tcg' }, left: ['files: a'] });
    expect(readdirSync(kept).toSorted()).toEqual(['goals.md', 'ratios.svg', 'results.json', 'results.md']);
    const json: unknown = JSON.parse(readFileSync(join(kept, 'results.json'), 'utf8'));
    expect(json).toEqual(
      JSON.parse(JSON.stringify({ machine: { accelerator: 'tcg' }, left: ['files: a'], results })),
    );
    expect(readFileSync(join(kept, 'results.md'), 'utf8')).toContain('| Copies | FAILED |');
  });
});
