import { expect, it } from 'vitest';

import { failureOf } from '../../../../src/build/executor/failure.ts';
import type { RunResult } from '../../../../src/build/stage/types.ts';

const lines = { first: 2, last: 2 };
const told = (result: RunResult) => {
  const failure = failureOf(['/bin/sh', '-c', 'echo "x"'], result, lines);
  return failure === null ? null : { message: failure.message, status: failure.exitStatus };
};
const DID_NOT = String.raw`process "/bin/sh -c echo \"x\"" did not complete successfully: `;

it('is none when the command has succeeded', () => {
  expect(told({ exitCode: 0 })).toBeNull();
});

it.each<[string, RunResult, string, number | undefined]>([
  ['a status', { exitCode: 3 }, 'exit code: 3', 3],
  ['a signal', { exitCode: 137, signal: 9 }, 'exit code: 137', 137],
  ['no memory left', { exitCode: 137, signal: 9, oomKilled: true }, 'cannot allocate memory', 137],
  [
    'no such program',
    { exitCode: 127, error: { code: 'not_found', stage: 'exec', message: 'no such file' } },
    'exit code: 127',
    127,
  ],
  [
    'no such user, which is not the command that failed',
    { exitCode: 125, error: { code: 'bad_user', stage: 'user', message: 'unable to find user u' } },
    'unable to find user u',
    undefined,
  ],
])('says of %s what BuildKit says', (_what, result, reason, status) => {
  expect(told(result)).toEqual({ message: DID_NOT + reason, status });
});
