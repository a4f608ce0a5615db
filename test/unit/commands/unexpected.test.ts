import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { renderUnexpected } from '../../../src/commands/failure.ts';

describe('an error that nobody foresaw', () => {
  test('is one line, and says how to learn more', () => {
    expect(renderUnexpected(new TypeError('x is not a function'), false)).toBe(
      'a3s-box: unexpected error: x is not a function\nHint: A3S_DEBUG=1 shows where it came from\n',
    );
  });

  test('has its stack when that is asked for', () => {
    expect(renderUnexpected(new TypeError('x'), true)).toMatch(
      /^a3s-box: unexpected error: TypeError: x\n {4}at /,
    );
  });

  test("that is the system's is told in its words", () => {
    const refusal = (): unknown => {
      try {
        return readFileSync('/nosuch');
      } catch (error) {
        return error;
      }
    };
    expect(renderUnexpected(refusal(), false)).toBe(
      "a3s-box: ENOENT: no such file or directory, open '/nosuch'\n",
    );
  });
});
