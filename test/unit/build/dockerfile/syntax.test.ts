import { describe, expect, test } from 'vitest';

import { DockerfileError } from '../../../../src/build/dockerfile/error.ts';
import { parseSyntax } from '../../../../src/build/dockerfile/syntax/parse-syntax.ts';
import { quotedWords } from '../../../../src/build/dockerfile/syntax/words.ts';
import { treeText } from './fixture/tree-text.ts';

const NOT_STRINGS = 'when using JSON array syntax, arrays must be comprised of strings only';

// Inputs and outcomes of BuildKit's parser (frontend/dockerfile/parser/testfiles, parser_test.go).
describe('an instruction', () => {
  test.each([
    ['FROM\tubuntu:14.04', '(from "ubuntu:14.04")'],
    ['COPY\t.\t/go/src', '(copy "." "/go/src")'],
    ['ADD\t\t[ "test file", "/tmp/test file" ]', '(add "test file" "/tmp/test file")'],
    ['ARG foo bar=baz', '(arg "foo" "bar=baz")'],
    ['ARG abc="123 456" def', '(arg "abc=\\"123 456\\"" "def")'],
    ['LABEL\tmaintainer\tA B <a@b.c>', '(label "maintainer"="A B <a@b.c>")'],
    ['LABEL maintainer E \\\\H <e@h>\\"', '(label "maintainer"="E \\\\\\\\H <e@h>\\\\\\"")'],
    ['ENV name value', '(env "name"="value")'],
    ['ENV name=value name2=value2', '(env "name"="value" "name2"="value2")'],
    ['ENV name="value value1"', '(env "name"="\\"value value1\\"")'],
    ['ENV name=value\\ value2 b=c', '(env "name"="value\\\\ value2" "b"="c")'],
    [`ENV name="value'quote space'value2"`, `(env "name"="\\"value'quote space'value2\\"")`],
    [`ENV name='a\\'b'`, `(env "name"="'a\\\\'b'")`],
    [`ENV name='a\\'b''`, `(env "name"="'a\\\\'b''")`],
    ['ENV SCUBA 1 DUBA 3', '(env "SCUBA"="1 DUBA 3")'],
    ['CMD []', '(cmd)'],
    ['CMD [""]', '(cmd "")'],
    ['CMD\t[\t"a",\t"b"\t]\t', '(cmd "a" "b")'],
    ['CMD ["♥", "\\" \\\\ \\/ \\n"]', '(cmd "♥" "\\" \\\\ / \\n")'],
    [`CMD ['echo','single quotes']`, `(cmd "['echo','single quotes']")`],
    ['CMD ["echo", "no bracket"', '(cmd "[\\"echo\\", \\"no bracket\\"")'],
    [`CMD '["echo", "in a string"]'`, `(cmd "'[\\"echo\\", \\"in a string\\"]'")`],
    ['ADD \\conf\\\\" /.znc', '(add "\\\\conf\\\\\\\\\\"" "/.znc")'],
    ['COPY --user=me --doit=true foo /tmp/', '(copy ["--user=me" "--doit=true"] "foo" "/tmp/")'],
    ['COPY --doit=true -- foo /tmp/', '(copy ["--doit=true"] "foo" "/tmp/")'],
    ['COPY -- --foo /tmp/', '(copy "--foo" "/tmp/")'],
    ['COPY --chown="a b" foo /tmp/', '(copy ["--chown=a b"] "foo" "/tmp/")'],
    ['CMD --doit [ "a", "b" ]', '(cmd ["--doit"] "a" "b")'],
    ['CMD --doit -- [ ]', '(cmd ["--doit"])'],
    ['RUN    sh -c  "a  b"', '(run "sh -c  \\"a  b\\"")'],
    ['HEALTHCHECK', '(healthcheck)'],
    ['HEALTHCHECK CMD', '(healthcheck "CMD")'],
    ['HEALTHCHECK   CMD   a b', '(healthcheck "CMD" "a b")'],
    ['HEALTHCHECK --timeout=3s CMD ["foo"]', '(healthcheck ["--timeout=3s"] "CMD" "foo")'],
    ['ONBUILD RUN ["echo", "test"]', '(onbuild (run "echo" "test"))'],
    ['ONBUILD COPY . /', '(onbuild (copy "." "/"))'],
    ['VOLUME ["/test", "/test2"]', '(volume "/test" "/test2")'],
    ['VOLUME /a /b', '(volume "/a" "/b")'],
    ['USER docker:root', '(user "docker:root")'],
    ['\ufeffFROM a', '(from "a")'],
  ])('%j is %s', (line, tree) => {
    expect(treeText(line)).toEqual([tree]);
  });

  test.each([
    ['RUN echo hello\\\n  world\\\n  moon', '(run "echo hello  world  moon")'],
    ['RUN echo good\\\nbye\\\nfrog', '(run "echo goodbyefrog")'],
    ['RUN echo hello  \\  \nworld', '(run "echo hello  world")'],
    ['RUN echo hi \\\n \\\n world \\\n\\\n good\\\n\\\nnight', '(run "echo hi   world  goodnight")'],
    ['RUN echo hello \\\n# a comment\n\n  # one more\n\nmore', '(run "echo hello more")'],
    ['RUN foo \\\n\nbar \\\n\nbaz', '(run "foo bar baz")'],
    ['RUN something \\', '(run "something")'],
    ['ENV A=b \\\r\n  C=d\r\n', '(env "A"="b" "C"="d")'],
    ['ENV E hello\\\n \\\nworld', '(env "E"="hello world")'],
    ['FROM a\\\\', '(from "a\\\\\\\\")'],
    ['# escape = `\nENV GOPATH `\n\\go', '(env "GOPATH"="\\\\go")'],
    ['# syntax = docker/dockerfile\n# escape = `\n\nFROM `\n  image', '(from "image")'],
    ['# A comment first.\n# escape = `\nENV GOPATH \\\n\\go', '(env "GOPATH"="\\\\go")'],
  ])('%j goes on over lines as %s', (text, tree) => {
    expect(treeText(text)).toEqual([tree]);
  });

  test('two escapes at the end of a line do not continue it', () => {
    expect(treeText('ENV C back\\\\\nENV D e')).toEqual(['(env "C"="back\\\\\\\\")', '(env "D"="e")']);
  });

  test('lines are counted from the first to the last one that belongs to it', () => {
    const text =
      '# ESCAPE=\\\n\n\nFROM a\n\nENV B \\\n/go\n\nRUN x \\\n\n  # no\n  y \\\n  z\n\nRUN <<E\n1\n2\nE\n';
    expect(parseSyntax(text).nodes.map(({ lines }) => [lines.first, lines.last])).toEqual([
      [4, 4],
      [6, 7],
      [9, 13],
      [15, 18],
    ]);
  });

  test('the comments right above it come with it', () => {
    const { nodes } = parseSyntax('# syntax=x\n# one\n#\n# two\n  # three\nFROM a\nRUN b');
    expect(nodes.map(({ comments }) => comments)).toEqual([['two', 'three'], []]);
  });
});

test('empty lines in a continued instruction give a warning', () => {
  const { warnings } = parseSyntax('FROM a\nRUN one \\\n\n  two \\\n\n  three\nRUN b \\\n# c\n d');
  expect(warnings).toEqual([
    { message: 'Empty continuation line found in: RUN one   two   three', lines: { first: 6, last: 6 } },
  ]);
});

describe('directives', () => {
  test('are read until the first line that is none', () => {
    const { directives, escape } = parseSyntax(
      '#syntax=a/b:1 # c\n# EScape=`\n# check = skip=all\n# x=y\nFROM a',
    );
    expect([directives, escape]).toEqual([{ syntax: 'a/b:1 # c', escape: '`', check: 'skip=all' }, '`']);
    expect(parseSyntax('# key=value\n# syntax=a\nFROM a').directives).toEqual({});
    expect(parseSyntax('\n# syntax=a\nFROM a').directives).toEqual({});
  });

  test.each([
    ['# escape=\\\n# escape=\\\nFROM a', 'only one escape parser directive can be used', 2],
    ['# escape=x\nFROM a', "invalid escape token 'x' does not match ` or \\", 1],
  ])('%j is wrong: %s', (text, message, line) => {
    expect(failure(text)).toEqual([message, line, line]);
  });
});

test.each([
  ['# Hello\n# only comments\n', 'file with no instructions', 2, 2],
  ['FROM busybox\n\nENV PATH', 'ENV must have two arguments', 3, 3],
  ['FROM busybox\nLABEL a', 'LABEL must have two arguments', 2, 2],
  ['ENV a=b \\\n c', `Syntax error - can't find = in "c". Must be of the form: name=value`, 1, 2],
  ['CMD [ "echo", [ "nested" ] ]', NOT_STRINGS, 1, 1],
  ['CMD ["a",42,"b"]', NOT_STRINGS, 1, 1],
  ['CMD ["a",null]', NOT_STRINGS, 1, 1],
  ['CMD ["a",{"c": "d"}]', NOT_STRINGS, 1, 1],
  ['FROM a\nRUN <<EOF\nx', 'unterminated heredoc', 2, 3],
])('%j fails with: %s', (text, message, first, last) => {
  expect(failure(text)).toEqual([message, first, last]);
});

test('a line may have 65535 bytes and no more', () => {
  const line = `RUN ${'a'.repeat(65_531)}`;
  expect(treeText(`FROM a\n${line}\n`)).toHaveLength(2);
  const message = 'dockerfile line greater than max allowed size of 65535';
  expect(failure(`FROM a\n${line}a\n`)).toEqual([message, 2, 2]);
  // Bytes count, not characters.
  expect(failure(`RUN ${'é'.repeat(40_000)}`)).toEqual([message, 1, 1]);
});

test('a file of more than 16 MiB is refused', () => {
  const lines = '# a comment\n'.repeat(1_500_000);
  expect(() => parseSyntax(lines)).toThrow('dockerfile greater than max allowed size of 16777216');
});

test.each([
  ['foo\\ bar', ['foo\\ bar']],
  [`foo bar 'abc xyz'`, ['foo', 'bar', `'abc xyz'`]],
  ['föo bàr "âbc xÿz"', ['föo', 'bàr', '"âbc xÿz"']],
  ['a=b\\', ['a=b']],
  ['\\', []],
])('the words of %j are %j', (text, words) => {
  expect(quotedWords(text, '\\')).toEqual(words);
});

function failure(text: string): unknown[] {
  try {
    parseSyntax(text);
  } catch (error) {
    if (error instanceof DockerfileError) return [error.message, error.lines?.first, error.lines?.last];
    throw error;
  }
  throw new Error('it was parsed');
}
