/**
 * `npm run bench [-- MEASURE... --rounds N --keep DIRECTORY]`: the product beside podman with runc, and beside the least that could do the
 * same, in one run, in turn. Prints medians; judges nothing but its own sanity: a measure that fails, or leaves something, ends it with
 * status 1. docs/performance.md says what is measured and why.
 */
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { catalogue } from './catalogue.ts';
import { leftovers, traceOf } from './footprint.ts';
import { asText, keep } from './report.ts';
import type { NamedResult } from './result.ts';
import { Setting } from './setting.ts';

const ROUNDS = 20;
/** Monitors that have answered end within this time. */
const LAST_STEPS_MS = 15_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: String(ROUNDS) }, keep: { type: 'string' } },
});
const rounds = Number(values.rounds);
const unknown = positionals.filter((name) => !catalogue.some((measure) => measure.name === name));
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`usage: npm run bench -- [MEASURE...] [--rounds N] [--keep DIRECTORY]`);
  console.error(`measures: ${catalogue.map(({ name }) => name).join(' ')}`);
  process.exit(2);
}
const chosen = catalogue.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const machine = {
  processors: availableParallelism(),
  model: cpus()[0]?.model ?? 'unknown',
  memoryGib: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  hardwareVirtualization: existsSync('/dev/kvm'),
  node: process.versions.node,
  rounds,
  date: new Date().toISOString(),
};
const setting = new Setting();
const results: NamedResult[] = [];
let failed = false;
try {
  if (!setting.hasPodman) console.log('podman and runc are not installed: a3s-box is measured alone.\n');
  await setting.prepare();
  const before = traceOf(setting.home);
  for (const { name, title, take } of chosen) {
    try {
      const result = { name, title, ...(await take(setting, rounds)) };
      results.push(result);
      console.log(`${asText(result)}\n`);
    } catch (error) {
      failed = true;
      console.log(`${title}\nFAILED: ${error instanceof Error ? error.message : String(error)}\n`);
      setting.removeBoxes();
    }
  }
  const left = await settled(() => leftovers(before, traceOf(setting.home)));
  failed ||= left.length > 0;
  console.log(left.length === 0 ? 'Nothing is left.' : `LEFT:\n${left.join('\n')}`);
  if (values.keep !== undefined) keep(values.keep, results, machine);
} finally {
  setting.end();
}
process.exit(failed ? 1 : 0);

/** What is left once the last monitors have taken their last steps. */
async function settled(look: () => string[]): Promise<string[]> {
  const deadline = performance.now() + LAST_STEPS_MS;
  while (look().length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return look();
}
