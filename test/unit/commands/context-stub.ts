import { PassThrough } from 'node:stream';

import type { CommandContext } from '../../../src/commands/command.ts';

/** A context that has streams of its own and no engine. */
export function contextStub(overrides: Partial<CommandContext> = {}): CommandContext {
  return {
    path: 'test',
    env: {},
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    print: () => Promise.resolve(),
    warn: () => {},
    report: () => {},
    engine: () => Promise.reject(new Error('no engine here')),
    ...overrides,
  };
}
