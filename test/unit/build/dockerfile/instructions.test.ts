import { describe, expect, test } from 'vitest';

import type { Instruction } from '../../../../src/build/dockerfile/instructions/types.ts';
import { type Dockerfile, parseDockerfile } from '../../../../src/build/dockerfile/parse-dockerfile.ts';

function only(line: string): Omit<Instruction, 'source' | 'lines'> {
  const [instruction] = parseDockerfile(`FROM a\n${line}`).stages[0]?.instructions ?? [];
  if (instruction === undefined) throw new Error('no instruction');
  const { source: _source, lines: _lines, ...rest } = instruction;
  return rest;
}

const TRANSFER = { files: [], chown: '', chmod: '', link: false, exclude: [] };
const COPY = { kind: 'copy', ...TRANSFER, from: '', parents: false };
const ADD = { kind: 'add', ...TRANSFER, checksum: '', keepGitDirectory: undefined, unpack: undefined };
const RUN = {
  kind: 'run',
  documents: [],
  mountFields: [],
  mounts: [],
  network: 'default',
  security: 'sandbox',
};
const NO_TIMES = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };

describe('an instruction is understood', () => {
  test.each<[string, object]>([
    [
      'ARG a b=c d=',
      { kind: 'arg', arguments: [argument('a', null), argument('b', 'c'), argument('d', '')] },
    ],
    ['CMD a b', { kind: 'cmd', shell: true, words: ['a b'] }],
    ['CMD', { kind: 'cmd', shell: true, words: [] }],
    ['cmd ["a", "b"]', { kind: 'cmd', shell: false, words: ['a', 'b'] }],
    ['ENTRYPOINT []', { kind: 'entrypoint', shell: false, words: [] }],
    [
      'ENV a=b c="d e"',
      {
        kind: 'env',
        pairs: [
          { key: 'a', value: 'b' },
          { key: 'c', value: '"d e"' },
        ],
      },
    ],
    ['ENV a b c', { kind: 'env', pairs: [{ key: 'a', value: 'b c' }] }],
    ['LABEL "a b"=c', { kind: 'label', pairs: [{ key: '"a b"', value: 'c' }] }],
    ['EXPOSE 90 80/tcp $x', { kind: 'expose', ports: ['$x', '80/tcp', '90'] }],
    ['MAINTAINER A B <c>', { kind: 'maintainer', name: 'A B <c>' }],
    ['SHELL ["bash", "-c"]', { kind: 'shell', words: ['bash', '-c'] }],
    ['STOPSIGNAL SIGQUIT', { kind: 'stopsignal', signal: 'SIGQUIT' }],
    ['USER a:b', { kind: 'user', name: 'a:b' }],
    ['VOLUME /a /b', { kind: 'volume', paths: ['/a', '/b'] }],
    ['VOLUME ["/a b"]', { kind: 'volume', paths: ['/a b'] }],
    ['WORKDIR /a b', { kind: 'workdir', path: '/a b' }],
    ['COPY a b /c/', { ...COPY, sources: ['a', 'b'], destination: '/c/' }],
    ['COPY ["a b", "/c"]', { ...COPY, sources: ['a b'], destination: '/c' }],
    [
      'COPY --from=x --chown=1:2 --chmod=644 --link --parents --exclude=a --exclude=*.b s /d',
      {
        ...COPY,
        from: 'x',
        chown: '1:2',
        chmod: '644',
        link: true,
        parents: true,
        exclude: ['a', '*.b'],
        sources: ['s'],
        destination: '/d',
      },
    ],
    [
      'COPY <<EOF foo.txt /bar\nthis is inline\nEOF',
      {
        ...COPY,
        sources: ['foo.txt'],
        destination: '/bar',
        files: [{ name: 'EOF', content: 'this is inline\n', expand: true }],
      },
    ],
    [
      `COPY <<-A <<'B' /bar\n\t1\nA\n\t2\nB`,
      {
        ...COPY,
        sources: [],
        destination: '/bar',
        files: [
          { name: 'A', content: '1\n', expand: true },
          { name: 'B', content: '\t2\n', expand: false },
        ],
      },
    ],
    [
      'ADD --checksum=sha256:x --keep-git-dir --unpack=false --link=TRUE u /d',
      {
        ...ADD,
        checksum: 'sha256:x',
        keepGitDirectory: true,
        unpack: false,
        link: true,
        sources: ['u'],
        destination: '/d',
      },
    ],
    ['RUN ls /', { ...RUN, shell: true, words: ['ls /'] }],
    ['RUN ["<<EOF"]', { ...RUN, shell: false, words: ['<<EOF'] }],
    [
      `RUN <<'EOF' | python\nprint("hello")\nEOF`,
      {
        ...RUN,
        shell: true,
        words: [`<<'EOF' | python`],
        documents: [{ name: 'EOF', content: 'print("hello")\n', chomp: false }],
      },
    ],
    [
      'RUN --network=none --security=insecure x',
      { ...RUN, shell: true, words: ['x'], network: 'none', security: 'insecure' },
    ],
    [
      'RUN --mount=type=tmpfs,target=/x,rw x',
      {
        ...RUN,
        shell: true,
        words: ['x'],
        mountFields: [
          [
            { key: 'type', value: 'tmpfs', text: 'type=tmpfs' },
            { key: 'target', value: '/x', text: 'target=/x' },
            { key: 'rw', value: null, text: 'rw' },
          ],
        ],
      },
    ],
    ['HEALTHCHECK NONE', { kind: 'healthcheck', test: ['NONE'], ...NO_TIMES }],
    ['HEALTHCHECK CMD a b', { kind: 'healthcheck', test: ['CMD-SHELL', 'a b'], ...NO_TIMES }],
    [
      'HEALTHCHECK --interval=5s --timeout=1m30s --start-period=1h --start-interval=300ms --retries=3 cmd ["a", "b"]',
      {
        kind: 'healthcheck',
        test: ['CMD', 'a', 'b'],
        interval: 5e9,
        timeout: 90e9,
        startPeriod: 3600e9,
        startInterval: 300e6,
        retries: 3,
      },
    ],
    ['ONBUILD RUN a  "b"', { kind: 'onbuild', expression: 'RUN a  "b"' }],
    ['ONBUILD COPY <<E <<F /x\n1\nE\n2\nF', { kind: 'onbuild', expression: 'COPY <<E <<F /x\n1\nE\n2\nF' }],
  ])('%j', (line, expected) => {
    expect(only(line)).toEqual(expected);
  });
});

function argument(key: string, value: string | null): object {
  return { key, value, description: '' };
}

describe('an instruction is refused in the words of BuildKit', () => {
  test.each([
    ['FOO bar', 'unknown instruction: FOO (did you mean FROM?)'],
    ['foo bar', 'unknown instruction: foo (did you mean from?)'],
    ['RNU true', 'unknown instruction: RNU (did you mean RUN?)'],
    ['entrpoint x', 'unknown instruction: entrpoint (did you mean entrypoint?)'],
    ['constructor', 'unknown instruction: constructor'],
    ['\\\n', 'unknown instruction: '],
    ['MAINTAINER', 'MAINTAINER requires exactly one argument'],
    ['WORKDIR', 'WORKDIR requires exactly one argument'],
    ['USER', 'USER requires exactly one argument'],
    ['STOPSIGNAL', 'STOPSIGNAL requires exactly one argument'],
    ['ENV', 'ENV requires at least one argument'],
    ['LABEL', 'LABEL requires at least one argument'],
    ['ONBUILD', 'ONBUILD requires at least one argument'],
    ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
    ['EXPOSE', 'EXPOSE requires at least one argument'],
    ['VOLUME', 'VOLUME requires at least one argument'],
    ['ARG', 'ARG requires at least one argument'],
    ['SHELL []', 'SHELL requires at least one argument'],
    ['SHELL bash -c', 'SHELL requires the arguments to be in JSON form'],
    ['ENV =b', 'ENV names can not be blank'],
    ['LABEL =b', 'LABEL names can not be blank'],
    ['ARG =b', 'ARG names can not be blank'],
    ['VOLUME [" "]', 'VOLUME specified can not be an empty string'],
    [
      'COPY\ta',
      'COPY requires at least two arguments, but only one was provided. Destination could not be determined',
    ],
    [
      'ADD a',
      'ADD requires at least two arguments, but only one was provided. Destination could not be determined',
    ],
    ['COPY /foo <<EOF\nEOF', 'COPY cannot accept a heredoc as a destination'],
    ['COPY --foobar=1 a b', 'unknown flag: --foobar'],
    ['COPY --chwon=1 a b', 'unknown flag: --chwon (did you mean chown?)'],
    ['COPY --link --link a b', 'duplicate flag specified: --link'],
    ['COPY --link= a b', 'missing a value on flag: --link'],
    ['COPY --link=1 a b', 'expecting boolean value for flag --link, not: 1'],
    ['COPY --from a b', 'missing a value on flag: --from'],
    ['COPY --checksum=a b c', 'unknown flag: --checksum'],
    ['ADD --from=a b c', 'unknown flag: --from'],
    ['RUN --mout=type=cache x', 'unknown flag: --mout (did you mean mount?)'],
    ['RUN --network=foo x', 'invalid network mode "foo"'],
    ['RUN --network= x', 'invalid network mode ""'],
    ['RUN --security=foo x', 'security "foo" is not valid'],
    [
      'RUN --mount=type=bind,from=$x,target=/a x',
      "'from' doesn't support variable expansion, define alias stage instead",
    ],
    ['RUN --mount= x', 'failed to parse csv mounts: EOF'],
    [
      `RUN --mount=a\\"b x`,
      'failed to parse csv mounts: parse error on line 1, column 2: bare " in non-quoted-field',
    ],
    ['MAINTAINER --boo joe@example.com', 'unknown flag: --boo'],
    ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK CONNECT TCP 7000', 'Unknown type "CONNECT" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK --interval=50ns CMD x', 'Interval "interval" cannot be less than 1ms'],
    ['HEALTHCHECK --interval=x CMD x', 'time: invalid duration "x"'],
    ['HEALTHCHECK --retries=-1 CMD x', '--retries cannot be negative (-1)'],
    ['HEALTHCHECK --retries=x CMD x', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['HEALTHCHECK --retires=1 CMD x', 'unknown flag: --retires (did you mean retries?)'],
    ['ONBUILD FROM scratch', "FROM isn't allowed as an ONBUILD trigger"],
    ['ONBUILD maintainer x', "MAINTAINER isn't allowed as an ONBUILD trigger"],
    ['ONBUILD ONBUILD RUN x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['FROM', 'FROM requires either one or three arguments'],
    ['FROM a as', 'FROM requires either one or three arguments'],
    ['FROM a to b', 'FROM requires either one or three arguments'],
    ['FROM a AS 1b', `invalid name for build stage: "1b", name can't start with a number or contain symbols`],
    ['FROM --platfrom=x a', 'unknown flag: --platfrom (did you mean platform?)'],
  ])('%j: %s', (line, message) => {
    expect(() => parseDockerfile(`FROM a\n\n${line}`)).toThrow(
      expect.objectContaining({
        message: `dockerfile parse error on line 3: ${message}`,
        code: 'invalid_config',
        lines: expect.objectContaining({ first: 3 }),
      }),
    );
  });

  test.each([
    ['', 'the Dockerfile cannot be empty'],
    ['ARG a\n', 'dockerfile contains no stages to build'],
    ['ARG a\nRUN b', 'no build stage in current context'],
  ])('the file %j: %s', (text, message) => {
    expect(() => parseDockerfile(text)).toThrow(message);
  });
});

test('a file is global arguments and stages, with what comments say of them', () => {
  const text = `# foo sets foo
ARG foo=bar

# base defines first stage
FROM --platform=$P busybox AS Base
# irrelevant
ARG foo
# bar defines bar
# baz is something else
ARG bar baz=123
FROM base
`;
  const { globalArguments, stages }: Dockerfile = parseDockerfile(text);
  expect(globalArguments.map((each) => each.arguments)).toEqual([
    [{ key: 'foo', value: 'bar', description: 'sets foo' }],
  ]);
  expect(stages.map(({ from }) => from)).toEqual([
    {
      kind: 'from',
      source: 'FROM --platform=$P busybox AS Base',
      lines: { first: 5, last: 5 },
      base: 'busybox',
      name: 'base',
      platform: '$P',
      description: 'defines first stage',
    },
    {
      kind: 'from',
      source: 'FROM base',
      lines: { first: 11, last: 11 },
      base: 'base',
      name: '',
      platform: '',
      description: '',
    },
  ]);
  const declared = stages[0]?.instructions.flatMap((each) => (each.kind === 'arg' ? each.arguments : []));
  expect(declared?.map(({ key, description }) => [key, description])).toEqual([
    ['foo', ''],
    ['bar', 'defines bar'],
    ['baz', 'is something else'],
  ]);
});
