import { describe, expect, test } from 'vitest';

import { parseCall } from '../../../../src/commands/builds/call.ts';
import { chooseProgress } from '../../../../src/commands/builds/progress/choose.ts';
import { FakeTarget } from './fake-target.ts';

function choose(
  progress: string,
  more: { quiet?: boolean; env?: NodeJS.ProcessEnv; terminal?: boolean } = {},
) {
  const target = new FakeTarget();
  target.isTTY = more.terminal ?? false;
  return chooseProgress({ progress, quiet: more.quiet ?? false }, more.env ?? {}, target);
}

const terminal = true;
const quiet = true;

describe('progress', () => {
  test.each([
    ['auto', {}, { mode: 'plain', printId: false }],
    ['auto', { terminal }, { mode: 'tty', printId: false }],
    ['', { terminal }, { mode: 'tty', printId: false }],
    ['tty', { terminal }, { mode: 'tty', printId: false }],
    ['plain', { terminal }, { mode: 'plain', printId: false }],
    ['rawjson', {}, { mode: 'rawjson', printId: false }],
    ['quiet', {}, { mode: 'none', printId: true }],
    ['none', {}, { mode: 'none', printId: false }],
    ['auto', { quiet }, { mode: 'none', printId: true }],
    ['auto', { terminal, env: { BUILDKIT_PROGRESS: 'plain' } }, { mode: 'plain', printId: false }],
    ['auto', { terminal, env: { BUILDKIT_PROGRESS: '' } }, { mode: 'tty', printId: false }],
    ['plain', { env: { BUILDKIT_PROGRESS: 'rawjson' } }, { mode: 'plain', printId: false }],
    ['auto', { quiet, env: { BUILDKIT_PROGRESS: 'plain' } }, { mode: 'none', printId: true }],
  ] as const)('%j %j', (progress, more, choice) => {
    expect(choose(progress, more)).toEqual(choice);
  });

  test.each([
    ['colourful', {}, 'invalid progress mode colourful'],
    ['auto', { env: { BUILDKIT_PROGRESS: 'colourful' } }, 'invalid progress mode colourful'],
    ['tty', {}, 'failed to get console: provided file is not a console'],
    ['plain', { quiet }, 'progress=plain and quiet cannot be used together'],
  ] as const)('%j %j is refused', (progress, more, message) => {
    expect(() => choose(progress, more)).toThrow(message);
  });
});

describe('--call', () => {
  test.each([
    ['build', undefined],
    ['', undefined],
    ['check', { method: 'lint', json: false, ignoreStatus: false }],
    ['lint,format=json', { method: 'lint', json: true, ignoreStatus: false }],
    ['outline', { method: 'outline', json: false, ignoreStatus: false }],
    ['targets,format=json,ignorestatus=true', { method: 'targets', json: true, ignoreStatus: true }],
  ])('%s', (call, expected) => {
    expect(parseCall({ call, check: false })).toEqual(expected);
  });

  test('--check is a call', () => {
    expect(parseCall({ call: 'build', check: true })?.method).toBe('lint');
  });

  test.each([
    ['describe', 'unsupported request frontend.describe'],
    ['check,targets', 'invalid print value: check,targets'],
    ['check,colour=red', 'invalid print field: colour=red'],
    ['constructor', 'unsupported request frontend.constructor'],
  ])('%s is refused', (call, message) => {
    expect(() => parseCall({ call, check: false })).toThrow(message);
  });
});
