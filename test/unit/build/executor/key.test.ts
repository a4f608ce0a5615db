import { describe, expect, it } from 'vitest';

import { cacheKey } from '../../../../src/build/executor/key.ts';

describe('a cache key', () => {
  it('does not depend on the order of names', () => {
    expect(cacheKey('run', { a: 1, b: [2, null] })).toBe(cacheKey('run', { b: [2, null], a: 1 }));
  });

  it.each([
    ['the kind', cacheKey('copy', { a: 1 })],
    ['a value', cacheKey('run', { a: 2 })],
    ['the type of a value', cacheKey('run', { a: '1' })],
    ['where one text ends and the next begins', cacheKey('run', ['ab', 'c'])],
  ])('depends on %s', (_what, key) => {
    expect(key).not.toBe(cacheKey('run', { a: 1 }));
    expect(key).not.toBe(cacheKey('run', ['a', 'bc']));
    expect(key).toMatch(/^[0-9a-f]{64}$/);
  });
});
