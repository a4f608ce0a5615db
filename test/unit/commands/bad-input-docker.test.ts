/**
 * What Docker's client refuses by itself, in its words. Recorded with docker 28.2.2 and no engine: command, flag, value, exit
 * status, and the first line of stderr.
 */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';

import { oneLine } from '../../../src/output/one-line.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { testEngine, type TestEngine } from '../engine/fixture/engine.ts';
import { argvOf, call, commandNames, wordsOf } from './bad-input/calls.ts';

type Row = readonly [words: string, flag: string, value: string, status: number, line: string];

const text = readFileSync(new URL('./bad-input/docker-client-28.jsonl', import.meta.url), 'utf8');
const rows = text.trimEnd().split('\n').map(rowOf);

function rowOf(json: string): Row {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of our own
  return JSON.parse(json) as Row;
}

/** Where a3s-box has words of its own, by the flag. */
const OURS: Readonly<Record<string, (line: string, value: string) => string>> = {
  // The types that there are.
  'inspect --type': (line) =>
    line.replace(/must be one of .*/, 'must be one of "container", "image", "volume"'),
  // One reason for all that is no platform; create refuses it as it refuses every bad flag.
  'run --platform': (_line, value) => `a3s-box: error parsing specified platform: ${platform(value)}`,
  'load --platform': (_line, value) => `invalid platform: ${platform(value)}`,
  // Go's words of layouts say less.
  'events --since': (line) =>
    line.replace(/^parsing time ("[^"]*") .*/, 'failed to parse value as time or duration: $1'),
  'events --until': (line) =>
    line.replace(/^parsing time ("[^"]*") .*/, 'failed to parse value as time or duration: $1'),
  // Clearer than EOF; a line break is part of the field.
  'run --mount': (line, value) =>
    line.replace(/flag: EOF$/, 'flag: value is empty').replace("field 'a' ", `field '${value}' `),
};

function platform(value: string): string {
  return `${JSON.stringify(value)}: unknown operating system or architecture: invalid argument`;
}

let engine: TestEngine;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  engine = testEngine();
  env = { HOME: temporaryDirectory() };
});

describe.each(commandNames.filter((name) => rows.some(([words]) => words === wordsOf(name))))(
  '%s',
  (name) => {
    test("refuses in the words of docker's client", async () => {
      for (const [, flag, value, status, line] of rows.filter(([words]) => words === wordsOf(name))) {
        const title = `${name} --${flag}=${value}`;
        const expected = OURS[`${name} --${flag}`]?.(line, value) ?? line.replace(/^docker: /, 'a3s-box: ');
        const answer = await call(argvOf(name, `--${flag}=${value}`), engine, env);
        expect(answer.stderr.split('\n', 1), title).toEqual([oneLine(expected)]);
        expect([answer.status, answer.stdout], title).toEqual([status, '']);
      }
    });
  },
);
