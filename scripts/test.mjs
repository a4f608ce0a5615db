/**
 * Every test of both languages: `npm test`. With `--check`, types, lint and format are counted as well.
 * The last line sums them up; the exit status is 1 unless all suites ran and nothing failed.
 */
import { join } from 'node:path';
import { runChecks } from './check.mjs';
import { root, setUp } from './set-up.mjs';
import { runScript } from './setup/progress.mjs';
import { cargoTests, vitestSuites } from './setup/suites.mjs';

await runScript(async () => {
  const check = process.argv.includes('--check');
  const { node } = await setUp({ lint: check, tests: true });
  const counts = [
    ...(check ? [await runChecks(node)] : []),
    ...(await vitestSuites(root, node, join(root, '.cache', 'vitest.json'))),
    await cargoTests(join(root, 'guest')),
  ];
  /** @param {'passed' | 'failed' | 'skipped'} kind */
  const sum = (kind) => counts.reduce((total, count) => total + count[kind], 0);
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  console.log(`\n${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
  if (sum('failed') > 0) process.exitCode = 1;
});
