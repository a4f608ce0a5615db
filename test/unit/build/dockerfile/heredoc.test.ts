import { describe, expect, test } from 'vitest';

import { chomped, parseHeredocMark } from '../../../../src/build/dockerfile/syntax/heredoc.ts';
import { parseSyntax } from '../../../../src/build/dockerfile/syntax/parse-syntax.ts';

/** Heredocs as `name|flags|content`: e expand, c chomp, a digit the descriptor. */
function heredocs(text: string): string[] {
  const [node] = parseSyntax(text).nodes;
  return (node?.heredocs ?? []).map(({ name, descriptor, expand, chomp, content }) => {
    const flags = `${descriptor === 0 ? '' : descriptor}${expand ? 'e' : ''}${chomp ? 'c' : ''}`;
    return `${name}|${flags}|${content}`;
  });
}

// BuildKit's parser_heredoc_test.go.
test.each<[string, string[]]>([
  ['RUN <<EMPTY\nEMPTY', ['EMPTY|e|']],
  ['RUN 3<<EMPTY2\nEMPTY2', ['EMPTY2|3e|']],
  ['RUN "<<NOHEREDOC"', []],
  [`RUN '<<NOHEREDOC'`, []],
  ['RUN ["<<EOF"]', []],
  ['ENV <<EOF=1', []],
  ['RUN <<INDENT\n\tfoo\n\tbar\nINDENT', ['INDENT|e|\tfoo\n\tbar\n']],
  ['RUN <<-UNINDENT\n\tbaz\nUNINDENT', ['UNINDENT|ec|\tbaz\n']],
  ['RUN <<-UNINDENT2\n\tbaz\n\tUNINDENT2', ['UNINDENT2|ec|\tbaz\n']],
  [`RUN <<-'NOEXPAND'\n\tdon't expand $NAME\nNOEXPAND`, [`NOEXPAND|c|\tdon't expand $NAME\n`]],
  [
    'RUN <<COMMENT\n# internal\necho foo # trailing\nCOMMENT',
    ['COMMENT|e|# internal\necho foo # trailing\n'],
  ],
  ['RUN --mount=type=cache,target=/foo <<MOUNT\necho hello\nMOUNT', ['MOUNT|e|echo hello\n']],
  [
    'COPY <<FILE1 <<FILE2 /dest\ncontent 1\nFILE1\ncontent 2\nFILE2',
    ['FILE1|e|content 1\n', 'FILE2|e|content 2\n'],
  ],
  ['COPY <<X <<Y /dest\nY\nX\nX\nY', ['X|e|Y\n', 'Y|e|X\n']],
  [`COPY <<EOF /quotes\n"foo"\n'bar'\nEOF`, [`EOF|e|"foo"\n'bar'\n`]],
  [`RUN <<COMPLEX python3\nprint('hi')\nCOMPLEX`, [`COMPLEX|e|print('hi')\n`]],
  ['COPY <<file.txt /dest\nhello\nfile.txt', ['file.txt|e|hello\n']],
  [`RUN <<eo'f'\necho foo\neof`, ['eof||echo foo\n']],
  [`RUN <<eo\\'f\necho foo\neo'f`, [`eo'f|e|echo foo\n`]],
  [`RUN <<'e'o\\'f\necho foo\neo'f`, [`eo'f||echo foo\n`]],
  [`RUN <<'one two'\necho bar\none two`, ['one two||echo bar\n']],
  ['RUN <<$EOF\n$EOF', ['$EOF|e|']],
  ['RUN <<  EOF\nEOF', ['EOF|e|']],
  ['RUN <<  EOF  > foo\nEOF', ['EOF|e|']],
  // Behind the dash a blank ends the word.
  ['RUN <<- EOF', []],
  ['RUN << -EOF\n-EOF', ['-EOF|e|']],
  ['RUN 4<<EOF <<EOF2\nEOF\nEOF2', ['EOF|4e|', 'EOF2|e|']],
  ['RUN <<EOF\r\nx\r\nEOF\r\n', ['EOF|e|x\r\n']],
  ['ADD <<EOF /x\nEOF', ['EOF|e|']],
  ['ONBUILD COPY <<EOF /x\ny\nEOF', ['EOF|e|y\n']],
])('%j announces %j', (text, expected) => {
  expect(heredocs(text)).toEqual(expected);
});

describe('a word', () => {
  test.each(['<<EOF', `<<'EOF'`, '<<"EOF"', '<<-EOF', `<<-'EOF'`, '<<EO"F"', '<< EOF', '<<- EOF'])(
    '%j announces EOF',
    (word) => {
      expect(parseHeredocMark(word)?.name).toBe('EOF');
    },
  );

  test.each(['', 'EOF', '<<', '<<-', '<EOF', '<<<EOF', '<<EOF sh'])('%j announces nothing', (word) => {
    expect(parseHeredocMark(word)).toBeUndefined();
  });

  test.each([`<<'EOF`, '<<"EOF', `<<EOF'`, '<<EOF"'])('%j is wrong', (word) => {
    expect(() => parseHeredocMark(word)).toThrow('failed to process');
  });
});

test('a comment and an instruction may follow the end of a heredoc', () => {
  const { nodes } = parseSyntax('FROM a\nRUN <<E\n# FROM b\nE\n# c\nCMD d');
  expect(nodes.map(({ keyword }) => keyword)).toEqual(['from', 'run', 'cmd']);
});

test('chomping takes leading tabs of every line away', () => {
  expect(chomped('\thello\n\t\tworld\n \tx\n')).toBe('hello\nworld\n \tx\n');
});
