import { describe, expect, test } from 'vitest';

import { parseDockerfile } from '../../../../src/build/dockerfile/parse-dockerfile.ts';
import { proxyEnvironment } from '../../../../src/build/dockerfile/plan/global-arguments.ts';
import { type PlanOptions, resolveStages } from '../../../../src/build/dockerfile/plan/resolve-stages.ts';
import type { BuildPlan, Source } from '../../../../src/build/dockerfile/plan/types.ts';
import { platformString } from '../../../../src/images/platform.ts';

const AMD64 = { os: 'linux', architecture: 'amd64', variant: '' };
const ARM = { os: 'linux', architecture: 'arm', variant: 'v7' };

function plan(text: string, options: Partial<PlanOptions> = {}): BuildPlan {
  return resolveStages(parseDockerfile(text), {
    buildArguments: new Map(),
    platform: AMD64,
    buildPlatform: AMD64,
    ...options,
  });
}

function sourceText(source: Source | undefined): string {
  switch (source?.kind) {
    case undefined:
      return '-';
    case 'stage':
      return `stage ${source.index}`;
    case 'image':
      return source.reference;
    case 'context':
      return `context ${source.name}`;
    case 'scratch':
      return 'scratch';
    default:
      return source satisfies never;
  }
}

/** Each stage as `label: base needs steps`. */
function summary(built: BuildPlan): string[] {
  return built.stages.map(
    ({ label, base, needs, steps }) => `${label}: ${sourceText(base)} [${needs.join(' ')}] ${steps}`,
  );
}

describe('the stages of a build', () => {
  test('are those that the target needs, in order', () => {
    const text = `FROM alpine AS base
RUN a
FROM base AS unused
RUN b
FROM scratch AS tool
COPY x /
FROM base AS app
COPY --from=tool /x /
COPY --from=0 /y /
RUN --mount=from=tool,target=/t --mount=type=cache,target=/c c
WORKDIR /w
ENV a=b
FROM app`;
    expect(summary(plan(text))).toEqual([
      'base: alpine [] 2',
      'tool: scratch [] 1',
      'app: stage 0 [0 2] 4',
      'stage-4: stage 3 [3] 0',
    ]);
    expect(summary(plan(text, { target: 'TOOL' }))).toEqual(['tool: scratch [] 1']);
    expect(summary(plan(text, { target: '1' }))).toEqual(['base: alpine [] 2', 'unused: stage 0 [0] 1']);
    expect(plan(text).target.index).toBe(4);
  });

  test('a stage that is alone has no label, unless it copies from elsewhere', () => {
    expect(summary(plan('FROM a\nRUN b'))).toEqual([': a [] 2']);
    expect(summary(plan('FROM a\nCOPY --from=b / /'))).toEqual(['stage-0: a [] 2']);
    expect(summary(plan('FROM a\nRUN --mount=target=/x b'))).toEqual(['stage-0: a [] 2']);
  });

  test('a name means the last stage before that has it, and an image when there is none', () => {
    expect(summary(plan('FROM a AS a\nFROM a AS a\nFROM a'))).toEqual([
      'a: a [] 1',
      'a: stage 0 [0] 0',
      'stage-2: stage 1 [1] 0',
    ]);
  });

  test('each source of a COPY and a RUN is known', () => {
    const text = `FROM scratch AS x
FROM alpine
COPY --from=X / /
COPY --from=ghcr.io/a/b:1 / /
COPY --from=scratch / /
RUN --mount=target=/a --mount=from=x,target=/b --mount=from=0,target=/c d
COPY a b`;
    const sources = plan(text).target.instructions.map((each) => each.sources.map(sourceText));
    expect(sources).toEqual([['stage 0'], ['ghcr.io/a/b:1'], ['scratch'], ['-', 'stage 0', '0'], []]);
  });

  test('contexts take the place of stages and images', () => {
    const contexts = new Set(['base', 'alpine', 'ghcr.io/a/b:1']);
    const text =
      'FROM debian AS base\nRUN a\nFROM alpine:latest\nCOPY --from=ghcr.io/a/b:1 / /\nCOPY --from=base / /';
    const built = plan(text, { contexts });
    expect(summary(built)).toEqual(['base: context base [] 0', 'stage-1: context alpine [0] 3']);
    expect(built.stages[0]?.instructions).toEqual([]);
    expect(built.target.instructions.map((each) => each.sources.map(sourceText))).toEqual([
      ['context ghcr.io/a/b:1'],
      ['stage 0'],
    ]);
  });
});

describe('ONBUILD', () => {
  test('of an image comes before the instructions, at the place of the FROM', () => {
    const text = 'FROM scratch AS tool\nFROM base\nRUN own';
    const triggers = (reference: string): string[] =>
      reference === 'base' ? ['RUN trigger', 'COPY --from=tool <<E /\n1\nE'] : [];
    const built = plan(text, { triggers });
    expect(summary(built)).toEqual(['tool: scratch [] 0', 'stage-1: base [0] 4']);
    expect(
      built.target.instructions.map(({ instruction, trigger }) => [
        instruction.source,
        trigger,
        instruction.lines.first,
      ]),
    ).toEqual([
      ['RUN trigger', true, 2],
      ['COPY --from=tool <<E /', true, 2],
      ['RUN own', false, 3],
    ]);
  });

  test('of a stage counts for the next one on it only', () => {
    const text = 'FROM a AS one\nONBUILD RUN x\nFROM one AS two\nFROM two AS three';
    expect(
      plan(text).stages.map((stage) => stage.instructions.map(({ instruction }) => instruction.source)),
    ).toEqual([['ONBUILD RUN x'], ['RUN x'], []]);
  });

  test.each([
    ['FOO', 'unknown instruction: FOO (did you mean FROM?)'],
    ['RUN a\nRUN b', 'onbuild trigger should be a single expression'],
    ['FROM a', "FROM isn't allowed as an ONBUILD trigger"],
    ['RUN <<E', 'unterminated heredoc'],
    ['', 'file with no instructions'],
  ])('%j is refused, and the FROM is to blame', (expression, message) => {
    expect(() => plan('ARG x\nFROM a', { triggers: () => [expression] })).toThrow(
      expect.objectContaining({ message, lines: { first: 2, last: 2 } }),
    );
  });
});

describe('arguments before the first FROM', () => {
  const text = 'ARG TAG=1\nARG BASE=alpine:$TAG NONE\nFROM ${BASE}';

  test('name the base, with what the command line gives', () => {
    expect(summary(plan(text))).toEqual([': alpine:1 [] 1']);
    expect(summary(plan(text, { buildArguments: new Map([['TAG', '2']]) }))).toEqual([': alpine:2 [] 1']);
    expect(plan(text).globals.has('NONE')).toBe(false);
  });

  test('know the platforms', () => {
    const built = plan('FROM --platform=$BUILDPLATFORM a AS b\nFROM a', { platform: ARM });
    expect(Object.fromEntries(built.globals)).toEqual({
      BUILDPLATFORM: 'linux/amd64',
      BUILDOS: 'linux',
      BUILDOSVERSION: '',
      BUILDARCH: 'amd64',
      BUILDVARIANT: '',
      TARGETPLATFORM: 'linux/arm/v7',
      TARGETOS: 'linux',
      TARGETOSVERSION: '',
      TARGETARCH: 'arm',
      TARGETVARIANT: 'v7',
      TARGETSTAGE: 'default',
    });
    const both = plan('FROM --platform=$BUILDPLATFORM a AS b\nFROM a\nCOPY --from=b / /', { platform: ARM });
    expect(both.stages.map(({ platform }) => platformString(platform))).toEqual([
      'linux/amd64',
      'linux/arm/v7',
    ]);
    expect(plan('FROM a', { buildArguments: new Map([['TARGETARCH', 'x']]) }).globals.get('TARGETARCH')).toBe(
      'x',
    );
  });
});

test.each<[string, string, number | undefined, Partial<PlanOptions>?]>([
  [
    'FROM a AS build',
    'target stage "bulid" could not be found (did you mean build?)',
    undefined,
    { target: 'bulid' },
  ],
  ['FROM a', 'target stage "7" could not be found', undefined, { target: '7' }],
  ['FROM a\nFROM $x', 'base name ($x) should not be blank', 2],
  ['FROM ${x', `failed to process "\${x": syntax error: missing '}'`, 1],
  ['ARG a=${b?no}\nFROM a', 'failed to process "${b?no}": b: no', 1],
  [
    'FROM --platform=$BULIDPLATFORM a',
    'empty platform value from expression $BULIDPLATFORM (did you mean BUILDPLATFORM?)',
    1,
  ],
  [
    'FROM --platform=a/b/c/d a',
    'failed to parse platform a/b/c/d: "a/b/c/d": unknown operating system or architecture: invalid argument',
    1,
  ],
  [
    'FROM Foo',
    'failed to parse stage name "Foo": invalid reference format: repository name (library/Foo) must be lowercase',
    1,
  ],
  [
    'FROM a\nCOPY --from=b/C / /',
    'failed to parse stage name "b/C": invalid reference format: repository name (b/C) must be lowercase',
    2,
  ],
  ['FROM a\nCOPY --from=5 / /', 'invalid stage index 5', 2],
  ['FROM a\nCOPY --from=-1 / /', 'invalid stage index -1', 2],
  [
    'FROM a\nCOPY --from=$x / /',
    'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
    2,
  ],
  ['FROM a AS x\nCOPY --from=x / /', 'circular dependency detected on stage: x', 2],
  [
    'FROM a AS x\nCOPY --from=y / /\nFROM a AS y\nRUN --mount=from=x,target=/t b',
    'circular dependency detected on stage: x',
    4,
  ],
  [
    'FROM a AS x\nCOPY --from=y / /\nFROM a AS y\nFROM x',
    'cannot copy from stage "y", it needs to be defined before current stage "x"',
    2,
  ],
  [
    'FROM a AS x\nRUN --mount=from=y,dst=/t b\nFROM a AS y\nFROM x',
    'cannot mount from stage "y" to "/t", stage needs to be defined before current command',
    2,
  ],
])('%j: %s', (text, message, line, options) => {
  const lines = line === undefined ? undefined : { first: line, last: line };
  expect(() => plan(text, options)).toThrow(expect.objectContaining({ message, lines }));
});

test('a stage that nobody needs may ask for one that comes later', () => {
  expect(summary(plan('FROM a AS x\nCOPY --from=y / /\nFROM a AS y'))).toEqual(['y: a [] 1']);
});

test('as many stages as there are lines do no harm', () => {
  const stages = Array.from({ length: 5000 }, (_, index) => `FROM s${index} AS s${index + 1}`);
  expect(plan(stages.join('\n')).stages).toHaveLength(5000);
  const copies = Array.from({ length: 5000 }, (_, index) => `FROM a\nCOPY --from=${index + 1} / /`);
  expect(() => plan(`${copies.join('\n')}\nFROM a`)).not.toThrow();
});

test('a proxy is given in both spellings, and nothing else is', () => {
  expect([
    ...proxyEnvironment(
      new Map([
        ['http_proxy', 'a'],
        ['No_Proxy', 'b'],
        ['x', 'c'],
      ]),
    ),
  ]).toEqual([
    ['HTTP_PROXY', 'a'],
    ['http_proxy', 'a'],
    ['NO_PROXY', 'b'],
    ['no_proxy', 'b'],
  ]);
});
