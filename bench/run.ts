/**
 * `npm run bench [-- MEASURE... --rounds N --keep DIRECTORY]`: the product beside podman with runc, and beside the least that could do the
 * same, in one run, in turn. Prints medians; judges nothing but its own sanity: a measure that fails, or leaves something, ends it with
 * status 1. docs/performance.md says what is measured and why.
 */
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';

import { catalogue } from './catalogue.ts';
import { settledLeftovers, traceOf } from './footprint.ts';
import { asText, keep } from './report.ts';
import type { NamedResult } from './result.ts';
import { Setting } from './setting.ts';

const ROUNDS = 20;
const MS_PER_S = 1000;

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
const chosen = catalogue.filter(({ name, onRequest = false }) =>
  positionals.length === 0 ? !onRequest : positionals.includes(name),
);

const setting = new Setting();
const results: NamedResult[] = [];
let failed = false;
try {
  if (!setting.hasPodman) console.log('podman and runc are not installed: a3s-box is measured alone.\n');
  await setting.prepare();
  const machine = {
    processors: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    accelerator: setting.accelerator(),
    node: process.versions.node,
    rounds,
    date: new Date().toISOString(),
  };
  const before = traceOf(setting.home);
  for (const { name, title, take } of chosen) {
    const began = performance.now();
    const seconds = (): number => Math.round((performance.now() - began) / MS_PER_S);
    try {
      const result = { name, title, ...(await take(setting, rounds)) };
      results.push({ ...result, seconds: seconds() });
      console.log(`${asText(result)}\n`);
    } catch (error) {
      failed = true;
      const message = error instanceof Error ? error.message : String(error);
      results.push({ name, title, rows: [], failed: message, seconds: seconds() });
      console.log(`${title}\nFAILED: ${message}\n`);
      setting.removeBoxes();
    }
  }
  const left = await settledLeftovers(setting.home, before);
  failed ||= left.length > 0;
  console.log(left.length === 0 ? 'Nothing is left.' : `LEFT:\n${left.join('\n')}`);
  if (values.keep !== undefined) keep(values.keep, results, { machine, left });
} finally {
  setting.end();
}
process.exit(failed ? 1 : 0);
