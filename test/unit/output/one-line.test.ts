import { expect, test } from 'vitest';

import { abridge, oneLine } from '../../../src/output/one-line.ts';

test('control characters and marks of direction are escaped, all else stays', () => {
  expect(oneLine('a\nb\r\t\u001b[31m\u0000\u007f\u009b2J')).toBe('a\\nb\\r\\t\\x1b[31m\\x00\\x7f\\u009b2J');
  expect(oneLine('a\u202eb\u2066c\u2028d')).toBe('a\\u202eb\\u2066c\\u2028d');
  expect(oneLine('ünïcödé ☃ 👩‍🚀 "a\\b"')).toBe('ünïcödé ☃ 👩‍🚀 "a\\b"');
});

test('a long text keeps its start and its end', () => {
  expect(abridge('x'.repeat(10), 10)).toBe('x'.repeat(10));
  expect(abridge('0123456789ab', 10)).toBe('012345…9ab');
  expect(abridge('👩'.repeat(12), 10)).toBe(`${'👩'.repeat(6)}…${'👩'.repeat(3)}`);
  const line = oneLine(`open ${'x'.repeat(100_000)}: no such file or directory`);
  expect(line).toHaveLength(1024);
  expect(line).toMatch(/^open x+…x+: no such file or directory$/);
});
