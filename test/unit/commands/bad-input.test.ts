/** Every flag of every command, as the program defines them, with values that mean nothing to it. Starts no VM. */
import { beforeEach, describe, expect, test } from 'vitest';

import { load } from '../../../src/commands/registry.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { addBoxes, testEngine, type TestEngine } from '../engine/fixture/engine.ts';
import { accepts, inputs } from './bad-input/accepted.ts';
import { type Answer, argvOf, call, type CommandName, commandNames, wordsOf } from './bad-input/calls.ts';

/** What a flag without a value of its own is given after the equals sign. */
const BOOLEANS = { empty: '', word: 'maybe', line: 'a\nb', text: inputs.text };

/** They would follow the journal for ever, or ask Docker Hub. */
const UNCALLED = /^events --until=(|9007199254740991)$|^run --pull=$/;

/** Refusals of Docker's that name neither the flag nor its value. */
const UNNAMED =
  /invalid reference format|invalid storage option|no name set for network|range of CPUs|CPU cfs period|(Minimum|Maximum) \w+ limit|dockerfile line greater than/;

let engine: TestEngine;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  engine = testEngine();
  await addBoxes(engine, { status: 'stopped' });
  env = { HOME: temporaryDirectory() };
});

describe.each(commandNames)('%s', (name) => {
  test('takes a value or refuses it in one line', { timeout: 30_000 }, async () => {
    const command = await load(name);
    const plainly = await call(argvOf(name), engine, env);
    for (const [flag, { kind }] of Object.entries(command.flags)) {
      for (const [input, value] of Object.entries(kind === 'bool' ? BOOLEANS : inputs)) {
        if (UNCALLED.test(`${name} --${flag}=${value}`)) continue;
        const title = `${wordsOf(name)} --${flag}=${input}`;
        const answer = await call(argvOf(name, `--${flag}=${value}`), engine, env);
        if (kind !== 'bool' && accepts(name, `--${flag}`, input)) {
          expect([0, plainly.status], title).toContain(answer.status);
          expect([plainly.stderr, ''], title).toContain(answer.stderr);
        } else expectRefusal(title, name, flag, value, answer);
      }
    }
  });
});

/** One line, a hint perhaps, then the usage and where to read more; Docker's exit status. */
const REFUSAL =
  /^(?<line>[^\n]{1,1040})(?:\nHint: [^\n]{1,1024})?(?<usage>\n\nUsage: {2}a3s-box [^\n]+(?:\n {7}a3s-box [^\n]+)?)?(?<more>\n\nRun 'a3s-box [a-z ]+ --help' for more information)?\n$/;

function expectRefusal(title: string, name: CommandName, flag: string, value: string, answer: Answer): void {
  const { line = '', usage } = REFUSAL.exec(answer.stderr)?.groups ?? {};
  expect(line, `${title}: ${answer.stderr.slice(0, 2000)}`).not.toBe('');
  expect(line, title).not.toMatch(/[\p{Cc}\u202e]|unexpected error|\bE(?!RROR:)[A-Z]{4,}\b/u);
  expect(answer.stdout, title).toBe('');
  expect(answer.status, `${title}: ${line}`).toBe(statusOf(name, line, usage !== undefined));
  const shown = value.slice(0, 3).replace('\n', '\\n').replace('\u001b', '\\x1b');
  const named = letters(line).includes(letters(flag)) || line.toUpperCase().includes(shown.toUpperCase());
  if (!named) expect(line, title).toMatch(UNNAMED);
}

/** Docker's engine writes `CapAdd` for `cap-add`. */
function letters(text: string): string {
  return text.replaceAll('-', '').toLowerCase();
}

/** What the parser refuses is 125 everywhere; what a command refuses is 125 for those that make a box. */
function statusOf(name: CommandName, line: string, ofParser: boolean): number {
  if (ofParser || / is not supported( yet)?(: |$)/.test(line)) return 125;
  if (line.startsWith('invalid detach keys ')) return 1;
  if (name === 'create') return line.startsWith('Error response from daemon: ') ? 1 : 125;
  return name === 'run' ? 125 : 1;
}
