import { describe, expect, test } from 'vitest';

import { expand } from '../../../../src/build/dockerfile/words/expand.ts';

const ENVIRONMENT = new Map([
  ['PWD', '/home'],
  ['SHELL', 'bash'],
  ['KOREAN', '한국어'],
  ['NULL', ''],
]);

function word(source: string, variables: Record<string, string> | typeof ENVIRONMENT = ENVIRONMENT): string {
  const map = variables instanceof Map ? variables : new Map(Object.entries(variables));
  return expand(source, map, { escape: '\\' }).text;
}

// The cases that BuildKit publishes for its words (frontend/dockerfile/shell/envVarTest); null is an error.
const WORDS: readonly (readonly [string, string | null])[] = [
  ['hello', 'hello'],
  [`he'll'o`, 'hello'],
  [`he'llo`, null],
  [String.raw`he\'llo`, `he'llo`],
  [String.raw`he\\'llo`, null],
  [String.raw`abc\tdef`, 'abctdef'],
  [String.raw`"abc\tdef"`, String.raw`abc\tdef`],
  [String.raw`"abc\\tdef"`, String.raw`abc\tdef`],
  [String.raw`'abc\tdef'`, String.raw`abc\tdef`],
  ['hello\\', 'hello'],
  ['hello\\\\', 'hello\\'],
  ['"hello', null],
  ['"hello\\"', null],
  [`"hel'lo"`, `hel'lo`],
  [`'hello`, null],
  [`'hello\\'`, 'hello\\'],
  [String.raw`'hello\there'`, String.raw`hello\there`],
  [String.raw`'hello\\there'`, String.raw`hello\\there`],
  [`"''"`, `''`],
  ['$.', '$.'],
  ['he$1x', 'hex'],
  ['he$.x', 'he$.x'],
  ['he$pwd.', 'he.'],
  ['he$PWD', 'he/home'],
  ['he\\$PWD', 'he$PWD'],
  ['he\\\\$PWD', 'he\\/home'],
  ['"he\\$PWD"', 'he$PWD'],
  ['"he\\\\$PWD"', 'he\\/home'],
  ['\\${}', '${}'],
  ['\\${}aaa', '${}aaa'],
  ['he\\${}xx', 'he${}xx'],
  ['${}', null],
  ['${}aaa', null],
  ['he${}xx', null],
  ['he${hi}xx', 'hexx'],
  ['he${PWD}', 'he/home'],
  ['he${.}', null],
  ['he${XXX:-000}xx', 'he000xx'],
  ['he${PWD:-000}xx', 'he/homexx'],
  ['he${XXX:-$PWD}xx', 'he/homexx'],
  ['he${XXX:-${PWD:-yyy}}xx', 'he/homexx'],
  ['he${XXX:-${YYY:-yyy}}xx', 'heyyyxx'],
  ['he${XXX:YYY}', null],
  ['he${XXX?}', null],
  ['he${XXX:?}', null],
  ['he${PWD?}', 'he/home'],
  ['he${PWD:?}', 'he/home'],
  ['he${NULL?}', 'he'],
  ['he${NULL:?}', null],
  ['he${XXX:+${PWD}}xx', 'hexx'],
  ['he${PWD:+${XXX}}xx', 'hexx'],
  ['he${PWD:+${SHELL}}xx', 'hebashxx'],
  ['he${XXX:+000}xx', 'hexx'],
  ['he${PWD:+000}xx', 'he000xx'],
  ["'he${XX}'", 'he${XX}'],
  ['"he${PWD}"', 'he/home'],
  [`"he'$PWD'"`, `he'/home'`],
  ['"$PWD"', '/home'],
  [`'$PWD'`, '$PWD'],
  [`'\\$PWD'`, '\\$PWD'],
  [`'"hello"'`, '"hello"'],
  [`'he\\$PWD'`, 'he\\$PWD'],
  ['he${PWD', null],
  ['he${PWD:=000}xx', null],
  ['he${PWD:+${PWD}:}xx', 'he/home:xx'],
  ['he${XXX:-\\$PWD:}xx', 'he$PWD:xx'],
  ['he${XXX:-\\${PWD}z}xx', 'he${PWDz}xx'],
  ['안녕하세요', '안녕하세요'],
  [`안'녕'하세요`, '안녕하세요'],
  [`안'녕하세요`, null],
  [`안녕\\'하세요`, `안녕'하세요`],
  [`안\\\\'녕하세요`, null],
  ['안녕\\t하세요', '안녕t하세요'],
  ['안녕$.x', '안녕$.x'],
  ['안녕$pwd.', '안녕.'],
  ['안녕\\\\$PWD', '안녕\\/home'],
  ['안녕${XXX:-${PWD:-yyy}}xx', '안녕/homexx'],
  ['$KOREAN', '한국어'],
  ['안녕$KOREAN', '안녕한국어'],
  ['${{aaa}', null],
  ['${aaa}}', '}'],
  ['${aaa', null],
  ['${{aaa:-bbb}', null],
  ['${aaa:-bbb}}', 'bbb}'],
  ['${aaa:-bbb', null],
  ['${aaa:-bbb}', 'bbb'],
  ['${aaa:-${bbb:-ccc}}', 'ccc'],
  ['${aaa:-bbb ${foo}', null],
  ['${aaa:-bbb {foo}', 'bbb {foo'],
  ['${:}', null],
  ['${:-bbb}', null],
  ['${:+bbb}', null],
  ['$@@@', '@@'],
];

describe('a word', () => {
  test.each(WORDS)('%j is %j', (source, expected) => {
    if (expected === null) expect(() => word(source)).toThrow(/^failed to process "/);
    else expect(word(source)).toBe(expected);
  });

  // Positional and special parameters are never set in a Dockerfile.
  test.each(['1', '9', '999', '001', '0', '@', '*', '#', '?', '-', '$', '!'])('$%s is nothing', (name) => {
    expect(word(`$${name}`)).toBe('');
    expect(word(`$${name}aaa`)).toBe('aaa');
    expect(word(`\${${name}}aaa`)).toBe('aaa');
    expect(word(`\${${name}:+bbb}aaa`)).toBe('aaa');
    expect(word(`\${${name}:-bbb}aaa`)).toBe('bbbaaa');
  });
});

// BuildKit's TestProcessWithMatches: source, variables, result (null: an error), names used, names not set.
type Substitution = [string, Record<string, string>, string | null, string?, string?];
const SUBSTITUTIONS: Substitution[] = [
  ['x', { DUMMY: 'dummy' }, 'x'],
  ['x ${UNUSED}', { DUMMY: 'dummy' }, 'x ', '', 'UNUSED'],
  ['x ${FOO}', { FOO: 'y' }, 'x y', 'FOO'],
  ['${FOO-aaa} ${BAR-bbb} ${BAZ-ccc}', { FOO: 'xxx', BAR: '' }, 'xxx  ccc', 'FOO BAR', 'BAZ'],
  ['${FOO:-aaa} ${BAR:-bbb} ${BAZ:-ccc}', { FOO: 'xxx', BAR: '' }, 'xxx bbb ccc', 'FOO BAR', 'BAZ'],
  ['${FOO:-}', { FOO: 'xxx' }, 'xxx', 'FOO'],
  ['${FOO:-}', {}, '', '', 'FOO'],
  ['${FOO+aaa} ${BAR+bbb} ${BAZ+ccc}', { FOO: 'xxx', BAR: '' }, 'aaa bbb ', 'FOO BAR', 'BAZ'],
  ['${FOO:+aaa} ${BAR:+bbb} ${BAZ:+ccc}', { FOO: 'xxx', BAR: '' }, 'aaa  ', 'FOO BAR', 'BAZ'],
  ['${FOO?aaa}', { FOO: 'xxx' }, 'xxx', 'FOO'],
  ['${BAR?bbb}', { BAR: '' }, '', 'BAR'],
  ['${BAZ?ccc}', {}, null],
  ['${BAR:?bbb}', { BAR: '' }, null],
  ['${BAZ:?}', {}, null],
  ['${FOO=aaa}', { FOO: 'xxx' }, null],
  ['${FOO=:aaa}', { FOO: 'xxx' }, null],
  ['${FOO=}', {}, null],
  ['${FOO#()[]{\\}^$.\\*\\?|\\\\}', { FOO: '()[]{}^$.*?|\\x' }, 'x', 'FOO'],
  ['${FOO%%\\**}', { FOO: 'xx**' }, 'xx', 'FOO'],
  ['${FOO#*x*y}', { FOO: 'xxyy' }, 'y', 'FOO'],
  ['${FOO#*}', { FOO: 'xxyy' }, 'xxyy', 'FOO'],
  ['${FOO#$BAR}', { FOO: 'xxyy', BAR: 'x' }, 'xyy', 'BAR FOO'],
  ['${FOO#$BAR}', { FOO: 'xxyy', BAR: '' }, 'xxyy', 'BAR FOO'],
  ['${FOO#}', { FOO: 'xxyy' }, 'xxyy', 'FOO'],
  ['${FOO##*x}', { FOO: 'xxyy' }, 'yy', 'FOO'],
  ['${FOO##}', { FOO: 'xxyy' }, 'xxyy', 'FOO'],
  ['${FOO#?\\?}', { FOO: '???y' }, '?y', 'FOO'],
  ['${ABC:-.}${FOO%x}${ABC:-.}', { FOO: 'xxyy' }, '.xxyy.', 'FOO', 'ABC'],
  ['${FOO%%\\**\\*}', { FOO: 'a***yy*' }, 'a', 'FOO'],
  ['${FOO%}', { FOO: 'xxyy' }, 'xxyy', 'FOO'],
  ['${FOO%%$BAR}', { FOO: 'xxyy', BAR: '' }, 'xxyy', 'BAR FOO'],
  ['${FOO:#}', {}, null],
  ['${FOO:##}', {}, null],
  ['${FOO:%}', {}, null],
  ['${FOO:%%}', {}, null],
  [
    '${FOO/$NEEDLE/.} - ${FOO//$NEEDLE/.}',
    { FOO: '/foo*/*/*.txt', NEEDLE: '\\*/' },
    '/foo.*/*.txt - /foo..*.txt',
    'NEEDLE FOO',
  ],
  [
    '${FOO/$NEEDLE/} - ${FOO//$NEEDLE/}',
    { FOO: '/tmp/tmp/bar.txt', NEEDLE: '/tmp' },
    '/tmp/bar.txt - /bar.txt',
    'NEEDLE FOO',
  ],
  [
    '${FOO/$NEEDLE/$REPLACEMENT} - ${FOO//$NEEDLE/$REPLACEMENT}',
    { FOO: '/a/foo/b/c.txt', NEEDLE: '/?/', REPLACEMENT: '/' },
    '/foo/b/c.txt - /foo/c.txt',
    'NEEDLE REPLACEMENT FOO',
  ],
  [
    '${FOO/$NEEDLE/$REPLACEMENT}',
    { FOO: 'http://google.de', NEEDLE: 'http://', REPLACEMENT: 'https://' },
    'https://google.de',
    'NEEDLE REPLACEMENT FOO',
  ],
  ['${FOO//\\//\\/}', { FOO: '/tmp/foo.txt' }, '\\/tmp\\/foo.txt', 'FOO'],
  ['${FOO/$BAR/ww}', { FOO: 'xxyy', BAR: '' }, 'wwxxyy', 'BAR FOO'],
  ['${FOO//ww}', { FOO: 'xxyy' }, null],
  ['${FOO//}', { FOO: 'xxyy' }, null],
  ['${FOO///}', { FOO: 'xxyy' }, 'xxyy', 'FOO'],
  ['${FOO///}', {}, '', '', 'FOO'],
];

describe('a substitution', () => {
  test.each<Substitution>(SUBSTITUTIONS)(
    '%j with %j is %j',
    (source, variables, expected, used = '', unset = '') => {
      const run = (): ReturnType<typeof expand> =>
        expand(source, new Map(Object.entries(variables)), { escape: '\\' });
      if (expected === null) {
        expect(run).toThrow(/^failed to process "/);
        return;
      }
      const result = run();
      expect([result.text, [...result.used].join(' '), [...result.unset].join(' ')]).toEqual([
        expected,
        used,
        unset,
      ]);
    },
  );

  test('the name of a release is made of the platform, with its variant if there is one', () => {
    const source = 'something-${VERSION}.${TARGETOS}-${TARGETARCH}${TARGETVARIANT:+-${TARGETVARIANT}}.tar.gz';
    const platform = { VERSION: 'v1.2.3', TARGETOS: 'linux', TARGETARCH: 'arm' };
    expect(word(source, { ...platform, TARGETVARIANT: 'v7' })).toBe('something-v1.2.3.linux-arm-v7.tar.gz');
    expect(word(source, { ...platform, TARGETVARIANT: '' })).toBe('something-v1.2.3.linux-arm.tar.gz');
    expect(word(source, platform)).toBe('something-v1.2.3.linux-arm.tar.gz');
  });
});

test.each([
  ['${x?}', `failed to process "\${x?}": x: is not allowed to be unset`],
  ['${NULL:?}', `failed to process "\${NULL:?}": NULL: is not allowed to be empty`],
  ['${x:?say why}', `failed to process "\${x:?say why}": x: say why`],
  ['${PWD:=1}', `failed to process "\${PWD:=1}": unsupported modifier (:=) in substitution`],
  ['${', `failed to process "\${": syntax error: missing '}'`],
  ['${PWD:-a', `failed to process "\${PWD:-a": syntax error: missing '}'`],
  ["${PWD:-'a", `failed to process "\${PWD:-'a": syntax error: missing '}'`],
  ['${PWD/a', `failed to process "\${PWD/a": syntax error: missing '/' in \${}`],
  ['${}', `failed to process "\${}": syntax error: bad substitution`],
  [`'a`, `failed to process "'a": unexpected end of statement while looking for matching single-quote`],
  ['"a', `failed to process "\\"a": unexpected end of statement while looking for matching double-quote`],
  [
    '${PWD#\\a}',
    `failed to process "\${PWD#\\\\a}": invalid pattern (\\a) in substitution: invalid escape '\\a'`,
  ],
])('%j fails in the words of BuildKit', (source, message) => {
  expect(() => word(source)).toThrow(message);
});

// BuildKit's frontend/dockerfile/shell/wordsTest; null is an error.
test.each<[string, string[] | null]>([
  ['hello', ['hello']],
  ['hello${hi}bye', ['hellohibye']],
  ['hello${unset}bye', ['hellobye']],
  ['hello${space}bye', ['helloabc', 'defbye']],
  ['hello"${space}"bye', ['helloabc  defbye']],
  ['hello "${space}"bye', ['hello', 'abc  defbye']],
  ['hello${leading}def', ['hello', 'ab', 'cdef']],
  ['hello"${leading}" def', ['hello  ab c', 'def']],
  ['hello"${leading}"', ['hello  ab c']],
  ['hello${leading}', ['hello', 'ab', 'c']],
  ['hello${trailing}', ['helloab', 'c']],
  ['hello${trailing}d', ['helloab', 'c', 'd']],
  ['hello"${trailing}"d', ['helloab c   d']],
  ['hel"lo${trailing}"', ['helloab c   ']],
  ['hello" there  "', ['hello there  ']],
  ['hello there', ['hello', 'there']],
  ['hello\\ there', ['hello there']],
  ['hello" there', null],
  ['hello\\" there', ['hello"', 'there']],
  ['hello"\\\\there"', ['hello\\there']],
  ['hello"\\there"', ['hello\\there']],
  [`hello'\\\\there'`, ['hello\\\\there']],
  [`hello'\\there'`, ['hello\\there']],
  [`hello'$there'`, ['hello$there']],
])('the words of %j are %j', (source, expected) => {
  const variables = new Map(
    Object.entries({ hi: 'hi', space: 'abc  def', leading: '  ab c', trailing: 'ab c   ' }),
  );
  const words = (): string[] => expand(source, variables, { escape: '\\' }).words;
  if (expected === null) expect(words).toThrow('failed to process');
  else expect(words()).toEqual(expected);
});

test('the other escape makes the backslash a character like others', () => {
  expect(expand('C:\\dir`$x `"', new Map(), { escape: '`' }).text).toBe('C:\\dir$x "');
});

test('the longest and the shortest match are found from both ends, and every match is replaced', () => {
  const path = { P: 'a/b/c.tar.gz' };
  expect(word('${P#*/} ${P##*/} ${P%.*} ${P%%.*}', path)).toBe('b/c.tar.gz c.tar.gz a/b/c.tar a/b/c');
  expect(word('${P//?/x}', { P: 'a😀b' })).toBe('xxx');
  expect(word('${P/b*r/-}', path)).toBe('a/-.gz');
});

describe('texts that would take for ever', () => {
  test('variables that double each other end with an error', () => {
    const variables = new Map([['a', 'x'.repeat(200_000)]]);
    expect(() => expand('$a'.repeat(10), variables, { escape: '\\' })).toThrow('expanded text is too long');
  });

  test('nesting that is too deep is refused', () => {
    expect(() => word(`${'${a:-'.repeat(5000)}x${'}'.repeat(5000)}`)).toThrow(
      'substitutions are nested too deeply',
    );
  });

  test('patterns that make backtracking slow are matched in one pass', () => {
    expect(word(`\${P#${'*a'.repeat(30)}b}`, { P: 'a'.repeat(5000) })).toBe('a'.repeat(5000));
    expect(() => word(`\${P#${'*a'.repeat(3000)}b}`, { P: 'a'.repeat(100_000) })).toThrow(
      'substitution takes too long',
    );
  });
});
