import { describe, expect, test } from 'vitest';

import { DetachScanner, parseDetachKeys } from '../../../src/commands/attach/detach-keys.ts';

describe('the sequence', () => {
  test.each([
    ['ctrl-p,ctrl-q', [16, 17]],
    ['', [16, 17]],
    ['ctrl-P', [16]],
    ['a,b', [97, 98]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 27, 28, 29, 30, 31]],
  ])('%s', (text, keys) => {
    expect(parseDetachKeys(text)).toEqual(keys);
  });

  test.each(['zz', 'ctrl-1', 'ctrl-'])('%j is refused', (text) => {
    expect(() => parseDetachKeys(text)).toThrow(/invalid detach keys/);
  });
});

describe('what reaches the workload', () => {
  const scan = (...chunks: string[]) => {
    const scanner = new DetachScanner([16, 17]);
    return chunks.map((chunk) => {
      const { pass, detached } = scanner.scan(Buffer.from(chunk, 'latin1'));
      return [pass.toString('latin1'), detached];
    });
  };

  test('keys before the sequence pass, those after it do not', () => {
    expect(scan('ls\x10\x11rm')).toEqual([['ls', true]]);
  });

  test('the sequence may come key by key', () => {
    expect(scan('\x10', '\x11')).toEqual([
      ['', false],
      ['', true],
    ]);
  });

  test('a broken sequence is passed on', () => {
    expect(scan('\x10', 'a')).toEqual([
      ['', false],
      ['\x10a', false],
    ]);
    expect(scan('\x10\x10\x11')).toEqual([['\x10', true]]);
  });

  test('without keys everything passes, untouched', () => {
    const chunk = Buffer.from([16, 17]);
    expect(new DetachScanner([]).scan(chunk)).toEqual({ pass: chunk, detached: false });
  });
});
