import { expect, test } from 'vitest';

import { failureText } from '../../../../src/commands/builds/failure.ts';
import { warningsText } from '../../../../src/commands/builds/warnings.ts';
import { BuildError } from '../../../../src/engine/build-types.ts';
import { A3sError } from '../../../../src/errors.ts';

const dockerfile = { file: 'Dockerfile', text: 'FROM scratch as x\nRUN\tfalse \u001B[2J\n' };

test('a step that failed, with its lines', () => {
  const error = new BuildError(
    'process "/bin/sh -c false" did not complete successfully: exit code: 3',
    { ...dockerfile, lines: { first: 2, last: 2 } },
    { exitStatus: 3 },
  );
  expect(failureText(error)).toBe(`Dockerfile:2
--------------------
   1 |     FROM scratch as x
   2 | >>> RUN\tfalse \\x1b[2J
   3 |     
--------------------
ERROR: failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 3
`);
});

test('what is wrong with the command line, with a hint', () => {
  const error = new A3sError('usage', 'invalid progress mode a\nb', { hint: 'choose another one' });
  expect(failureText(error)).toBe('ERROR: invalid progress mode a\\nb\nHint: choose another one\n');
});

test('what nobody foresaw is not told as a failure of the build', () => {
  expect(failureText(new TypeError('x is not a function'))).toBeUndefined();
});

const finding = {
  rule: 'FromAsCasing',
  description: "The 'as' keyword should match the case of the 'from' keyword",
  url: 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
  message: "'as' and 'FROM' keywords' casing do not match",
  lines: [[1, 1]] as const,
};
const other = { ...finding, rule: 'JSONArgsRecommended', message: 'a message', lines: [], url: '' };

test('findings at the end, each once', () => {
  const options = { whole: false, colour: false, source: dockerfile };
  expect(warningsText([], options)).toBe('');
  expect(warningsText([finding, finding], options)).toBe(`
 1 warning found (use --debug to expand):
 - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)
`);
  expect(warningsText([finding, other], { ...options, colour: true })).toBe(`
 \u001B[33m2 warnings found (use --debug to expand):\u001B[0m
 - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)
 - JSONArgsRecommended: a message
`);
});

test('findings in full', () => {
  expect(warningsText([finding, other], { whole: true, colour: false, source: dockerfile })).toBe(`
 2 warnings found:
 - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)
The 'as' keyword should match the case of the 'from' keyword
More info: https://docs.docker.com/go/dockerfile/rule/from-as-casing/
Dockerfile:1
--------------------
   1 | >>> FROM scratch as x
   2 |     RUN\tfalse \\x1b[2J
   3 |     
--------------------

 - JSONArgsRecommended: a message
The 'as' keyword should match the case of the 'from' keyword

`);
});
