/** What a build finds of earlier ones, and what it makes anew. */
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { temporaryDirectory } from '../../temporary.ts';
import { a3s, a3sOk } from '../fixture/cli.ts';
import { makeContext } from './fixture/context.ts';

const NAME = 'build-cache-made';
let contexts: string[] = [];

beforeEach(async () => {
  await a3sOk(['builder', 'prune', '-af']);
});
afterEach(async () => {
  await a3s(['rmi', '-f', `${NAME}:1`, `${NAME}:2`]);
  for (const context of contexts) rmSync(context, { recursive: true, force: true });
  contexts = [];
});

function contextOf(dockerfile: string, files: Record<string, string> = {}): string {
  const context = makeContext(files, dockerfile);
  contexts.push(context);
  return context;
}

/** The steps of a build and whether each was found. */
async function stepsOf(words: readonly string[], status = 0): Promise<string[]> {
  const outcome = await a3s(['build', '--progress', 'plain', ...words]);
  expect(outcome.status, outcome.err).toBe(status);
  const lines = outcome.err.split('\n');
  const names = new Map(lines.flatMap((line) => stepIn(line)));
  return [...names].map(([id, text]) => `${text}${lines.includes(`#${id} CACHED`) ? ' CACHED' : ''}`);
}

function stepIn(line: string): [string, string][] {
  const [, id, text] = /^#(\d+) \[(?:\S+ )?\d+\/\d+\] ((?!FROM).*)$/.exec(line) ?? [];
  return id === undefined || text === undefined ? [] : [[id, text]];
}

const FILE = 'FROM a3s/base\nCOPY a /a\nRUN cat /a >/b\nCOPY c /c\nRUN echo end\n';

test('the same again is found, whatever it is called and wherever it lies', async () => {
  const files = { a: '1', c: '2' };
  const first = contextOf(FILE, files);
  expect(await stepsOf(['-t', `${NAME}:1`, first])).toEqual([
    'COPY a /a',
    'RUN cat /a >/b',
    'COPY c /c',
    'RUN echo end',
  ]);
  const found = ['COPY a /a CACHED', 'RUN cat /a >/b CACHED', 'COPY c /c CACHED', 'RUN echo end CACHED'];
  expect(await stepsOf(['-t', `${NAME}:2`, first])).toEqual(found);
  expect(await stepsOf([contextOf(FILE, files)])).toEqual(found);
  const id = (name: string): Promise<string> => a3sOk(['image', 'inspect', '-f', '{{.Id}}', name]);
  expect(await id(`${NAME}:1`)).toBe(await id(`${NAME}:2`));
});

test('another content makes what comes after it anew, another time does not', async () => {
  const context = contextOf(FILE, { a: '1', c: '2' });
  await stepsOf([context]);
  utimesSync(join(context, 'a'), 1, 1);
  writeFileSync(join(context, 'c'), '3');
  expect(await stepsOf([context])).toEqual([
    'COPY a /a CACHED',
    'RUN cat /a >/b CACHED',
    'COPY c /c',
    'RUN echo end',
  ]);
  writeFileSync(join(context, 'a'), '4');
  expect(await stepsOf([context])).toEqual(['COPY a /a', 'RUN cat /a >/b', 'COPY c /c', 'RUN echo end']);
});

test('an argument counts from where it is declared', async () => {
  const context = contextOf('FROM a3s/base\nRUN echo 1\nARG A\nRUN echo 2\n');
  await stepsOf(['--build-arg', 'A=1', context]);
  expect(await stepsOf(['--build-arg', 'A=2', context])).toEqual(['RUN echo 1 CACHED', 'RUN echo 2']);
  expect(await stepsOf(['--build-arg', 'A=1', context])).toEqual(['RUN echo 1 CACHED', 'RUN echo 2 CACHED']);
});

test('the environment and the user of a command count', async () => {
  await stepsOf([contextOf('FROM a3s/base\nENV A=1\nRUN echo x\n')]);
  expect(await stepsOf([contextOf('FROM a3s/base\nENV A=2\nRUN echo x\n')])).toEqual(['RUN echo x']);
  expect(await stepsOf([contextOf('FROM a3s/base\nENV A=1\nUSER app\nRUN echo x\n')])).toEqual([
    'RUN echo x',
  ]);
  expect(await stepsOf([contextOf('FROM a3s/base\nLABEL l=1\nENV A=1\nRUN echo x\n')])).toEqual([
    'RUN echo x CACHED',
  ]);
});

test('--no-cache makes all anew, --no-cache-filter one stage', async () => {
  const context = contextOf(
    'FROM a3s/base AS one\nRUN echo 1 >/f\nFROM a3s/base AS Two\nCOPY --from=one /f /f\nRUN echo 2\n',
  );
  await stepsOf([context]);
  expect(await stepsOf(['--no-cache', context])).toEqual([
    'RUN echo 1 >/f',
    'COPY --from=one /f /f',
    'RUN echo 2',
  ]);
  expect(await stepsOf(['--no-cache-filter', 'Two', context])).toEqual([
    'RUN echo 1 >/f CACHED',
    'COPY --from=one /f /f',
    'RUN echo 2',
  ]);
});

test('--no-cache-filter makes a stage’s step anew although another stage has found the same', async () => {
  const context = contextOf(
    'FROM a3s/base AS one\nRUN echo 1 >/f\nFROM a3s/base AS two\nRUN echo 1 >/f\nFROM scratch\nCOPY --from=one /f /1\nCOPY --from=two /f /2\n',
  );
  await stepsOf([context]);
  const steps = await stepsOf(['--no-cache-filter', 'two', context]);
  expect(steps.filter((step) => step.startsWith('RUN')).toSorted()).toEqual([
    'RUN echo 1 >/f',
    'RUN echo 1 >/f CACHED',
  ]);
});

test('a command that changes nothing is done as often as it is written, and its cache mount outlives the build', async () => {
  const append = 'RUN --mount=type=cache,target=/c echo x >>/c/f';
  const count = 'RUN --mount=type=cache,target=/c wc -l </c/f >/n';
  const context = contextOf(`FROM a3s/base\n${append}\n${append}\n${count}\n`);
  const out = temporaryDirectory();
  for (const lines of ['2\n', '4\n']) {
    expect(await stepsOf(['--no-cache', '-o', out, context])).toEqual([append, append, count]);
    expect(readFileSync(join(out, 'n'), 'utf8')).toBe(lines);
  }
  expect(await stepsOf([context])).toEqual([append, append, count].map((step) => `${step} CACHED`));
});

test('other hosts and limits make a command anew, as they do with BuildKit', async () => {
  const context = contextOf('FROM a3s/base\nRUN ulimit -n\n');
  await stepsOf([context]);
  expect(await stepsOf(['--ulimit', 'nofile=99', context])).toEqual(['RUN ulimit -n']);
  expect(await stepsOf(['--add-host', 'x:10.0.0.1', context])).toEqual(['RUN ulimit -n']);
  expect(await stepsOf([context])).toEqual(['RUN ulimit -n CACHED']);
});

test('what came before a failure is found', async () => {
  const context = contextOf('FROM a3s/base\nRUN echo good >/f\nRUN exit 3\n');
  await stepsOf([context], 3);
  expect(await stepsOf([context], 3)).toEqual(['RUN echo good >/f CACHED', 'RUN exit 3']);
});

test('the same step in two stages is done once', async () => {
  const context = contextOf(
    'FROM a3s/base AS one\nRUN cat /proc/sys/kernel/random/uuid >/id\nFROM a3s/base AS two\nRUN cat /proc/sys/kernel/random/uuid >/id\nFROM a3s/base\nCOPY --from=one /id /1\nCOPY --from=two /id /2\nRUN cmp /1 /2\n',
  );
  const steps = await stepsOf([context]);
  expect(steps.filter((step) => step === 'RUN cat /proc/sys/kernel/random/uuid >/id CACHED')).toHaveLength(1);
});

test('a stage made anew with the same files does not disturb those that copy from it', async () => {
  const context = contextOf(
    'FROM a3s/base AS one\nRUN date +%N >/other; echo same >/f\nFROM a3s/base\nCOPY --from=one /f /f\nRUN echo 2\n',
  );
  await stepsOf([context]);
  expect(await stepsOf(['--no-cache-filter', 'one', context])).toEqual([
    'RUN date +%N >/other; echo same >/f',
    'COPY --from=one /f /f CACHED',
    'RUN echo 2 CACHED',
  ]);
});

test('an image gives hits where the cache is gone', async () => {
  const context = contextOf(FILE, { a: '1', c: '2' });
  await stepsOf(['-t', `${NAME}:1`, '--build-arg', 'BUILDKIT_INLINE_CACHE=1', context]);
  await a3sOk(['builder', 'prune', '-af']);
  expect(await stepsOf(['--cache-from', `${NAME}:1`, context])).toEqual([
    'COPY a /a CACHED',
    'RUN cat /a >/b CACHED',
    'COPY c /c CACHED',
    'RUN echo end CACHED',
  ]);
});

test('what is pruned is made anew, and images stay whole', async () => {
  const context = contextOf(FILE, { a: '1', c: '2' });
  await stepsOf(['-t', `${NAME}:1`, context]);
  expect(await a3sOk(['builder', 'prune', '-af'])).toMatch(/Total/);
  expect(await a3sOk(['run', '--rm', `${NAME}:1`, 'cat', '/b'])).toBe('1');
  await a3sOk(['rmi', `${NAME}:1`]);
  expect(await stepsOf([context])).toEqual(['COPY a /a', 'RUN cat /a >/b', 'COPY c /c', 'RUN echo end']);
});

test('an image that is removed leaves the cache whole', async () => {
  const context = contextOf(FILE, { a: '1', c: '2' });
  await stepsOf(['-t', `${NAME}:1`, context]);
  await a3sOk(['rmi', `${NAME}:1`]);
  await a3sOk(['image', 'prune', '-f']);
  expect(await stepsOf(['-t', `${NAME}:2`, context])).toEqual([
    'COPY a /a CACHED',
    'RUN cat /a >/b CACHED',
    'COPY c /c CACHED',
    'RUN echo end CACHED',
  ]);
  expect(await a3sOk(['run', '--rm', `${NAME}:2`, 'cat', '/b', '/c'])).toBe('12');
});
