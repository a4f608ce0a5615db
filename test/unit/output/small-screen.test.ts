import { expect, test } from 'vitest';

import { SmallScreen } from '../../../src/output/small-screen.ts';

/** What a screen of four lines and ten columns shows after these chunks. */
function shown(...chunks: (string | Buffer)[]): string[] {
  const screen = new SmallScreen(4, 10);
  for (const chunk of chunks) screen.write(Buffer.from(chunk));
  return screen.lines;
}

test.each<[string, (string | Buffer)[], string[]]>([
  ['lines', ['one\ntwo\n'], ['one', 'two']],
  ['the last lines only', ['1\n2\n3\n4\n5\n6'], ['3', '4', '5', '6']],
  ['long lines wrapped', ['0123456789abc\n'], ['0123456789', 'abc']],
  ['a progress bar once', ['10%\r20%\r100%\n'], ['100%']],
  ['a backspace over what it takes back', ['abc\b\bX'], ['aXc']],
  ['tabs', ['a\tb\n'], ['a       b']],
  ['no colours', ['\u001B[1;31mred\u001B[0m\n'], ['red']],
  ['a line erased', ['old text\r\u001B[Knew'], ['new']],
  ['a line erased up to the cursor', ['abcdef\u001B[3D\u001B[1K'], ['    ef']],
  ['a whole line erased', ['abc\u001B[2K\rx'], ['x']],
  ['the screen erased', ['a\nb\u001B[2Jc'], [' c']],
  ['lines above drawn anew', ['a: 1\nb: 1\n\u001B[2A\ra: 2\u001B[K\n\rb: 2'], ['a: 2', 'b: 2']],
  [
    'the cursor within the screen',
    ['x\u001B[99A\u001B[99Dy\u001B[99Cz\u001B[B\u001B[3Gv'],
    ['y        z', '  v'],
  ],
  ['no titles', ['\u001B]0;a title\u0007text\u001B]8;;http://x\u001B\\link'], ['textlink']],
  ['a sequence that comes in pieces', ['\u001B', '[3', '1mred'], ['red']],
  ['a character that comes in pieces', [Buffer.from([0xe6, 0xbc]), Buffer.from([0xa2])], ['漢']],
  ['wide characters in two columns', ['漢字漢字漢字\n'], ['漢字漢字漢', '字']],
  ['no other control characters', ['a\u0007\u0000\u009Bb'], ['ab']],
  ['blank lines left out', ['a\n\n  \nb'], ['a', 'b']],
])('shows %s', (_title, chunks, lines) => {
  expect(shown(...chunks)).toEqual(lines);
});

test('takes a sequence without end for none', () => {
  expect(shown(`\u001B]${'x'.repeat(2000)}`, 'y').join('')).toMatch(/^x+y$/);
});
