import { describe, expect, test } from 'vitest';

import { IgnoreRules, type ParentMatches, readIgnoreFile } from '../../../src/build/dockerignore.ts';

/** Whether the path is ignored, asked in the three ways there are; they have to agree. */
function ignored(patterns: readonly string[], path: string): boolean {
  const rules = new IgnoreRules(patterns);
  const clean = path.replace(/(?<=.)\/$/, '');
  const answer = rules.ignores(path);
  expect(rules.verdict(clean).ignored).toBe(answer);
  let parent: ParentMatches | undefined;
  let walked = false;
  for (const [index] of clean.split('/').entries()) {
    const entry = clean
      .split('/')
      .slice(0, index + 1)
      .join('/');
    const verdict = rules.verdict(entry, parent);
    walked = verdict.ignored;
    parent = verdict.matches;
  }
  expect(walked).toBe(answer);
  return answer;
}

// patternmatcher_test.go, TestMatches: pattern, path, ignored.
test.each([
  ['**', 'file', true],
  ['**', 'file/', true],
  ['**/', 'file', true],
  ['**', '/', true],
  ['**', 'dir/file', true],
  ['**/', 'dir/file/', true],
  ['**/**', 'dir/file', true],
  ['dir/**', 'dir/file', true],
  ['dir/**', 'dir/dir2/file/', true],
  ['**/dir', 'dir', true],
  ['**/dir', 'dir/file', true],
  ['**/dir2/*', 'dir/dir2/file', true],
  ['**/dir2/*', 'dir/dir2/file/', true],
  ['**/dir2/**', 'dir/dir2/dir3/file', true],
  ['**file', 'file', true],
  ['**file', 'dir/dir/file', true],
  ['**/file', 'dir/dir/file', true],
  ['**/file*', 'dir/dir/file.txt', true],
  ['**/file*txt', 'dir/dir/file.txt', true],
  ['**/file*.txt*', 'dir/dir/file.txt', true],
  ['**/**/*.txt', 'dir/dir/file.txt', true],
  ['**/**/*.txt2', 'dir/dir/file.txt', false],
  ['**/*.txt', 'file.txt', true],
  ['**/**/*.txt', 'file.txt', true],
  ['a**/*.txt', 'a/file.txt', true],
  ['a**/*.txt', 'a/dir/dir/file.txt', true],
  ['a/*.txt', 'a/dir/file.txt', false],
  ['a/*.txt', 'a/file.txt', true],
  ['a/*.txt**', 'a/file.txt', true],
  ['a[b-d]e', 'ae', false],
  ['a[b-d]e', 'ace', true],
  ['a[b-d]e', 'aae', false],
  ['a[^b-d]e', 'aze', true],
  ['.*', '.foo', true],
  ['.*', 'foo', false],
  ['abc.def', 'abcdef', false],
  ['abc.def', 'abc.def', true],
  ['abc.def', 'abcZdef', false],
  ['abc?def', 'abcZdef', true],
  ['abc?def', 'abcdef', false],
  ['a\\\\', 'a\\', true],
  ['**/foo/bar', 'foo/bar', true],
  ['**/foo/bar', 'dir/dir2/foo/bar', true],
  ['abc/**', 'abc', false],
  ['abc/**', 'abc/def/ghi', true],
  ['**/.foo', '.foo', true],
  ['**/.foo', 'bar.foo', false],
  ['a(b)c/def', 'a(b)c/def', true],
  ['a(b)c/def', 'a(b)c/xyz', false],
  ['a.|)$(}+{bc', 'a.|)$(}+{bc', true],
  ['dist/*.whl', 'dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl', true],
  ['a\\*b', 'a*b', true],
  // Go's filepath.Match.
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'a', true],
  ['a*', 'ab/c', true],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxexxx/f', true],
  ['a*b*c*d*e*/f', 'axbxcxdxe/xxx/f', false],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['a*b?c*x', 'abxbbxdbxebxczzy', false],
  ['ab[c]', 'abc', true],
  ['ab[e-g]', 'abc', false],
  ['ab[^c]', 'abc', false],
  ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'ab', false],
  ['a?b', 'a☺b', true],
  ['a[^a]b', 'a☺b', true],
  ['a???b', 'a☺b', false],
  ['[a-ζ]*', 'α', true],
  ['*[a-ζ]', 'A', false],
  ['a?b', 'a/b', false],
  ['a*b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[x\\-]', '-', true],
  ['[x\\-]', 'z', false],
  ['[\\-x]', 'a', false],
  ['*x', 'xxx', true],
])('of %j and %j: %j', (pattern, path, expected) => {
  expect(ignored([pattern], path)).toBe(expected);
});

describe('of several patterns the last that matches decides', () => {
  test.each<[string[], string, boolean]>([
    [['!fileutils.go', '*.go'], 'fileutils.go', true],
    [['*.go', '!fileutils.go'], 'fileutils.go', false],
    [['docs', '!docs/README.md'], 'docs/README.md', false],
    [['docs/', '!docs/README.md'], 'docs/README.md', false],
    [['docs/*', '!docs/README.md'], 'docs/README.md', false],
    [['docs', '!docs/README.md'], 'docs/x', true],
    [['docs', '  !docs/README.md  '], 'docs/README.md', false],
    [['**', '!util/docker/web'], 'util/docker/web/foo', false],
    [['**', '!util/docker/web', 'util/docker/web/foo'], 'util/docker/web/foo', true],
    [['**', '!dist/*.whl'], 'dist/a-1.0+b.whl', false],
    [['*', '!src', 'src/**/*.log'], 'src/a/b/c.log', true],
    [['*', '!src', 'src/**/*.log'], 'src/a/b/c', false],
    [['d', '!d/x', 'd'], 'd/x', true],
    [['', ' '], 'a', false],
  ])('%j on %j: %j', (patterns, path, expected) => {
    expect(ignored(patterns, path)).toBe(expected);
  });
});

test('the context itself is never ignored', () => {
  expect(new IgnoreRules(['*', '**']).ignores('.')).toBe(false);
  expect(new IgnoreRules(['a']).ignores('./a/../a/b/')).toBe(true);
});

test('exceptions are known, because what they allow has to be looked for in ignored directories', () => {
  expect([['docs'], ['docs', '!docs/a']].map((patterns) => new IgnoreRules(patterns).hasExceptions)).toEqual([
    false,
    true,
  ]);
});

test.each(['[', '[^', '[^bc', 'a[', '[]a]', '[-]', '[x-]', '[-x]', '[a-b-c]', '\\', '**/[', '[Local-Only]/'])(
  '%j is no pattern',
  (pattern) => {
    expect(() => new IgnoreRules([pattern])).toThrow('syntax error in pattern: ');
  },
);

test('an exclamation mark alone is refused', () => {
  expect(() => new IgnoreRules(['a', '!'])).toThrow('illegal exclusion pattern: "!"');
});

test('a file has a pattern on each line, without comments, blanks and outer slashes', () => {
  const text =
    '\ufefftest1\r\n/test2\n/a/file/here\n\nlastfile\n# a comment\n ! /inverted/abs/path\n!\n! \n  #no comment\na//b/../c/\n/';
  expect(readIgnoreFile(text)).toEqual([
    'test1',
    'test2',
    'a/file/here',
    'lastfile',
    '!inverted/abs/path',
    '!',
    '!',
    '#no comment',
    'a/c',
    '/',
  ]);
});

test('patterns that make backtracking slow are matched in one pass', () => {
  const path = `${'a/'.repeat(40)}b`;
  for (const part of ['*a', '**/', '**', '?*', '***', '[ab]*', 'a*/**/']) {
    expect(ignored([`${part.repeat(Math.floor(200 / part.length))}z`], path)).toBe(false);
  }
  expect(() => new IgnoreRules(['a'.repeat(5000)])).toThrow('syntax error in pattern: ');
});
