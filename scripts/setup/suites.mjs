import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { toolEnv } from './process.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** Every one of these has to give results: a suite that silently vanished is a failure. */
const projects = ['unit', 'vm', 'e2e'];

/**
 * Runs vitest's projects and counts their results.
 * @param {string} root
 * @param {string} node
 * @param {string} report where vitest leaves its results
 * @returns {Promise<Counts[]>}
 */
export async function vitestSuites(root, node, report) {
  rmSync(report, { force: true });
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status } = await show(node, [vitest, 'run', ...reporters], root);
  const files = readReport(report);
  const counts = projects.map((project) => {
    const own = files.filter(({ name }) => relative(root, name).startsWith(join('test', project)));
    return orFailure(`the ${project} tests`, total(own.map(countFile)));
  });
  // An error outside any test, such as an unhandled rejection, fails the run and no test.
  const unexplained = status !== 0 && total(counts).failed === 0;
  return unexplained ? [...counts, failure(`vitest ended with status ${status}`)] : counts;
}

/**
 * Runs the Rust crate's tests and counts their results.
 * @param {string} crate
 * @returns {Promise<Counts>}
 */
export async function cargoTests(crate) {
  const { status, output } = await show('cargo', ['test', '--locked'], crate);
  const results = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  const counts = results.map(([, passed, failed, skipped]) => ({
    passed: Number(passed),
    failed: Number(failed),
    skipped: Number(skipped),
  }));
  const sum = orFailure('the Rust tests', total(counts));
  return status !== 0 && sum.failed === 0
    ? total([sum, failure(`cargo test ended with status ${status}`)])
    : sum;
}

/** @typedef {{ name: string, status: string, assertionResults: Array<{ status: string }> }} TestFile */

/**
 * @param {string} report
 * @returns {TestFile[]}
 */
function readReport(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8')).testResults;
  } catch {
    return [];
  }
}

/**
 * @param {TestFile} file
 * @returns {Counts}
 */
function countFile({ name, status, assertionResults }) {
  /** @param {string} wanted */
  const count = (wanted) => assertionResults.filter((result) => result.status === wanted).length;
  const [passed, failed] = [count('passed'), count('failed')];
  const counts = { passed, failed, skipped: assertionResults.length - passed - failed };
  // A file that cannot be loaded has no tests, and a failing hook may leave its tests unmarked.
  return status === 'failed' && failed === 0 ? total([counts, failure(`${name} failed as a whole`)]) : counts;
}

/**
 * @param {readonly Counts[]} counts
 * @returns {Counts}
 */
function total(counts) {
  /** @param {keyof Counts} kind */
  const sum = (kind) => counts.reduce((all, count) => all + count[kind], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

/**
 * @param {string} what
 * @param {Counts} counts
 */
function orFailure(what, counts) {
  return counts.passed + counts.failed + counts.skipped > 0 ? counts : failure(`${what} gave no result`);
}

/**
 * @param {string} reason
 * @returns {Counts}
 */
function failure(reason) {
  console.error(reason);
  return { passed: 0, failed: 1, skipped: 0 };
}

/**
 * Runs a command, its output shown as it comes and its stdout kept.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {Promise<{ status: number, output: string }>}
 */
function show(command, args, cwd) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: toolEnv, stdio: ['ignore', 'pipe', 'inherit'] });
    /** @type {Buffer[]} */
    const chunks = [];
    child.stdout.on('data', (chunk) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ status: code ?? 1, output: Buffer.concat(chunks).toString() }));
  });
}
