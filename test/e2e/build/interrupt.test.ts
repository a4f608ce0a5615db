/** Builds that are interrupted, killed and run side by side: nothing is left, and the store stays sound. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { layoutOf } from '../../../src/state/layout.ts';
import { a3s, a3sOk, CliProcess } from '../fixture/cli.ts';
import { home } from '../fixture/home.ts';
import { until } from '../fixture/until.ts';
import { makeContext } from './fixture/context.ts';

const GONE_MS = 2000;
/** The machine of commands may have to be made first. */
const BEGUN_MS = 100_000;
const NAME = 'build-interrupted';
let context: string;

beforeAll(async () => {
  const lines = ['FROM a3s/base', 'COPY f /f', 'RUN echo one >/1', 'RUN echo two >/2', 'RUN echo three >/3'];
  context = makeContext({ f: 'x'.repeat(100_000) }, `${lines.join('\n')}\n`);
  await a3sOk(['builder', 'prune', '-af']);
});
afterAll(async () => {
  await a3s(['rmi', '-f', NAME]);
  rmSync(context, { recursive: true, force: true });
});

/** Processes that work below the state directory of this test run for a build. */
function buildProcesses(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return words.includes(`${home()}/builds/`) ? [words] : [];
      } catch {
        return [];
      }
    });
}

function leftovers(): string[] {
  const { home: state, ingestDir, leasesDir } = layoutOf(home());
  const entries = (directory: string): string[] =>
    existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
  return [...entries(join(state, 'builds')), ...entries(ingestDir), ...entries(leasesDir)];
}

test('Ctrl-C in a command: all is gone within two seconds', async () => {
  const slow = makeContext({}, 'FROM a3s/base\nRUN echo begun && sleep 600\n');
  try {
    const build = new CliProcess(['build', '--progress', 'plain', slow], { deadlineMs: BEGUN_MS });
    await until('the command to run', () => /^#\d+ [\d.]+ begun$/m.test(build.err), BEGUN_MS);
    const began = performance.now();
    build.child.kill('SIGINT');
    const { status } = await build.ended;
    expect(performance.now() - began).toBeLessThan(GONE_MS);
    expect(status).toBe(130);
    expect(buildProcesses()).toEqual([]);
    expect(leftovers()).toEqual([]);
  } finally {
    rmSync(slow, { recursive: true, force: true });
  }
});

test('a failure in one stage ends the command of another', async () => {
  // The one that fails waits for the other one.
  const shared = 'RUN --mount=type=cache,id=begun,target=/c';
  const both = makeContext(
    {},
    `FROM a3s/base AS slow\n${shared} touch /c/begun; sleep 600\nFROM a3s/base AS bad\n` +
      `${shared} until test -e /c/begun; do sleep 0.1; done; exit 5\n` +
      'FROM a3s/base\nCOPY --from=slow / /s\nCOPY --from=bad / /b\n',
  );
  try {
    const { status, err } = await a3s(['build', '--progress', 'plain', both]);
    expect(err).toMatch(/ERROR: .*exit code: 5/);
    expect(err).toMatch(/^#\d+ CANCELED$/m);
    expect(status).toBe(5);
    expect(buildProcesses()).toEqual([]);
  } finally {
    rmSync(both, { recursive: true, force: true });
  }
});

test('killed at any moment, the next build finishes and nothing is left', async () => {
  for (const ms of [50, 150, 300, 500, 800, 1200]) {
    const build = new CliProcess(['build', '-q', '-t', NAME, context]);
    await new Promise((resolve) => setTimeout(resolve, ms));
    build.child.kill('SIGKILL');
    await build.ended;
  }
  await a3sOk(['build', '-q', '-t', NAME, context]);
  expect(await a3sOk(['run', '--rm', NAME, 'cat', '/1', '/2', '/3'])).toBe('one\ntwo\nthree');
  await until('what was killed to be swept', () => buildProcesses().length === 0);
  await a3sOk(['image', 'prune', '-f']);
  expect(leftovers()).toEqual([]);
});

test('two builds of the same at once give the same image', async () => {
  await a3sOk(['builder', 'prune', '-af']);
  const ids = await Promise.all([1, 2].map(() => a3sOk(['build', '-q', context])));
  for (const id of ids) {
    expect(await a3sOk(['run', '--rm', id, 'cat', '/3'])).toBe('three');
  }
  await a3s(['rmi', '-f', ...new Set(ids)]);
});
