import { describe, expect, test } from 'vitest';

import { createdBy } from '../../../../src/build/dockerfile/evaluate/history.ts';
import {
  DEFAULT_SHELL,
  runCommandLine,
  shellForm,
} from '../../../../src/build/dockerfile/evaluate/command-line.ts';
import { StageEvaluator } from '../../../../src/build/dockerfile/evaluate/stage-evaluator.ts';
import { StageVariables } from '../../../../src/build/dockerfile/evaluate/stage-variables.ts';
import { transferSourceKind } from '../../../../src/build/dockerfile/evaluate/transfer-source.ts';
import type { Instruction } from '../../../../src/build/dockerfile/instructions/types.ts';
import { parseDockerfile } from '../../../../src/build/dockerfile/parse-dockerfile.ts';
import { resolveStages } from '../../../../src/build/dockerfile/plan/resolve-stages.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64', variant: '' };

interface Evaluated {
  /** Of the target. */
  instructions: Instruction[];
  variables: StageVariables;
}

/** Evaluates every stage of the plan, in order. */
function evaluate(text: string, given: Record<string, string> = {}): Evaluated {
  const buildArguments = new Map(Object.entries(given));
  const plan = resolveStages(parseDockerfile(text), {
    buildArguments,
    platform: PLATFORM,
    buildPlatform: PLATFORM,
  });
  const done = new Map<number, Evaluated>();
  for (const { index, base, instructions } of plan.stages) {
    const below = base.kind === 'stage' ? done.get(base.index)?.variables.inherit() : undefined;
    const variables = below ?? StageVariables.ofImage(['PATH=/bin', 'FROM_IMAGE=yes']);
    const evaluator = new StageEvaluator(plan, variables);
    const results = instructions.map(({ instruction }) => evaluator.evaluate(instruction));
    done.set(index, { instructions: results, variables });
  }
  const target = done.get(plan.target.index);
  if (target === undefined) throw new Error('no target');
  return target;
}

function last(lines: string): Instruction {
  const instruction = evaluate(`FROM a\n${lines}`).instructions.at(-1);
  if (instruction === undefined) throw new Error('no instruction');
  return instruction;
}

describe('variables are put into', () => {
  const ENV = 'ENV a=1 b="x y" c= p="80 81/udp"\n';

  test.each<[string, object]>([
    [
      'ENV d=$a"$b"\' $b\' e=$d',
      {
        pairs: [
          { key: 'd', value: '1x y $b' },
          { key: 'e', value: '' },
        ],
      },
    ],
    ['ENV $a 2 $b', { pairs: [{ key: '1', value: '2 x y' }] }],
    ['LABEL "k $a"=$FROM_IMAGE', { pairs: [{ key: 'k 1', value: 'yes' }] }],
    ['WORKDIR /$a/${b}', { path: '/1/x y' }],
    ['USER ${u:-$a}:2', { name: '1:2' }],
    ['VOLUME ["/$a b"]', { paths: ['/1 b'] }],
    ['STOPSIGNAL SIG${s:-TERM}', { signal: 'SIGTERM' }],
    [
      'EXPOSE $p 443/UDP 9000-9002/tcp',
      { ports: ['80/tcp', '81/udp', '443/udp', '9000/tcp', '9001/tcp', '9002/tcp'] },
    ],
    [
      'COPY --chown=$a:$a --chmod=$a --exclude=$a --from=a $a "$b" /$a/',
      { chown: '1:1', chmod: '1', exclude: ['$a'], sources: ['1', 'x y'], destination: '/1/' },
    ],
    ['ADD http://h/$a /', { sources: ['http://h/1'] }],
    [
      'RUN --mount=type=cache,target=/$a,id=$b $a',
      { words: ['$a'], mounts: [expect.objectContaining({ target: '/1', id: 'x y' })] },
    ],
    ['CMD echo $a', { words: ['echo $a'] }],
    ['SHELL ["$a"]', { words: ['$a'] }],
    ['HEALTHCHECK CMD $a', { test: ['CMD-SHELL', '$a'] }],
    ['ONBUILD RUN $a', { expression: 'RUN $a' }],
    ['MAINTAINER $a', { name: '$a' }],
    [
      'COPY <<E /x\n$a "$b" \\$a \\\\ \'$a\'\nE',
      { files: [{ name: 'E', expand: true, content: '1 "x y" $a \\ \'1\'\n' }] },
    ],
    [`COPY <<'E' /x\n$a\nE`, { files: [{ name: 'E', expand: false, content: '$a\n' }] }],
  ])('%j', (line, expected) => {
    expect(last(ENV + line)).toMatchObject(expected);
  });
});

describe('ARG', () => {
  test('has its value from the command line, the stage or the file, in this order', () => {
    const text = 'ARG g=global h=global\nFROM a\nARG g\nARG h=stage\nARG i=$h j=$i k\nENV x=$g-$h-$i-$j-$k';
    const value = (given: Record<string, string>): unknown => evaluate(text, given).variables.get('x');
    expect(value({})).toBe('global-stage-stage-stage-');
    expect(value({ g: '1', h: '2', k: '3' })).toBe('1-2-2-2-3');
  });

  test('is seen from its line on, by stages above as well, and not by others', () => {
    const text =
      'ARG g=1\nFROM a AS one\nENV before=$v$g\nARG v=2\nENV after=$v\nFROM one\nENV there=$v\nENV g=$g';
    const { variables } = evaluate(text);
    expect(['before', 'after', 'there', 'g', 'v'].map((name) => variables.get(name))).toEqual([
      '',
      '2',
      '2',
      '',
      '2',
    ]);
    expect(evaluate('FROM a AS one\nARG v=2\nFROM b\nENV x=$v').variables.get('x')).toBe('');
  });

  test('and ENV share their names: the later one counts', () => {
    expect(evaluate('FROM a\nARG v=arg\nENV v=env').variables.get('v')).toBe('env');
    expect(evaluate('FROM a\nENV v=env\nARG v=arg').variables.get('v')).toBe('arg');
  });

  test('of a platform has to be asked for', () => {
    expect(evaluate('FROM a\nENV x=$TARGETARCH').variables.get('x')).toBe('');
    expect(evaluate('FROM a\nARG TARGETARCH\nENV x=$TARGETARCH').variables.get('x')).toBe('amd64');
  });

  test('is evaluated with its value', () => {
    expect(evaluate('FROM a\nARG v=$w w=1 x', { v: '5' }).instructions).toMatchObject([
      {
        arguments: [
          { key: 'v', value: '5' },
          { key: 'w', value: '1' },
          { key: 'x', value: null },
        ],
      },
    ]);
  });
});

test('a stage has the variables of its image, and a PATH in any case', () => {
  expect([...StageVariables.ofImage(['a=b=c', 'd']).environment]).toEqual([
    ['a', 'b=c'],
    ['d', ''],
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  ]);
});

test.each([
  [
    'COPY --chmod=64a a b',
    "invalid chmod parameter: '64a'. it should be octal string and between 0 and 07777",
  ],
  [
    'COPY --chmod=10000 a b',
    "invalid chmod parameter: '10000'. it should be octal string and between 0 and 07777",
  ],
  ['COPY http://a/b c', "source can't be a URL for COPY"],
  ['COPY https://a/b.git#c d', "source can't be a git ref for COPY"],
  ['ADD --checksum=sha256:0 a b', 'checksum requires HTTP(S) or Git sources'],
  ['ADD --checksum=x http://a/b http://a/c d', "checksum can't be specified for multiple sources"],
  ['ADD --checksum=x http://a/b c', 'invalid checksum digest format'],
  ['ADD --checksum=sha256:0 http://a/b c', 'invalid checksum digest length'],
  ['ADD --checksum=md5:0 http://a/b c', 'unsupported digest algorithm'],
  ['VOLUME $nothing', 'VOLUME specified can not be an empty string'],
  ['STOPSIGNAL FOO', 'invalid signal: FOO'],
  ['RUN --mount=type=$nothing x', 'unsupported mount type ""'],
  ['RUN --mount=foobar=1 x', "unexpected key 'foobar' in 'foobar=1'"],
  ['WORKDIR ${x?}', 'failed to process "${x?}": x: is not allowed to be unset'],
  ['EXPOSE 80/foo', 'invalid port: "80/foo": invalid proto: foo'],
  ['EXPOSE /tcp', 'invalid port: "/tcp": no port specified'],
  ['EXPOSE 70000', 'invalid containerPort: 70000'],
  ['EXPOSE 9-8', 'invalid containerPort: 9-8'],
  ['EXPOSE x:80', 'invalid hostPort: x'],
  ['EXPOSE 1.2.3:1:80', 'invalid IP address: 1.2.3'],
  ['EXPOSE 1-3:80-81', 'invalid ranges specified for container and host Ports: 80-81 and 1-3'],
])('%j fails: %s', (line, message) => {
  expect(() => last(line)).toThrow(
    expect.objectContaining({ message, code: 'invalid_config', lines: { first: 2, last: 2 } }),
  );
});

test.each(['0', '755', '04755', 'u=rwX,go=rX', '+x', 'a-w', 'u+s,o=', 'g=u'])(
  '--chmod=%s is a mode',
  (mode) => {
    expect(last(`COPY --chmod=${mode} a b`)).toMatchObject({ chmod: mode });
  },
);

test.each([
  ['a/b', 'path'],
  ['./git@x:y', 'path'],
  ['github.com/a/b', 'path'],
  ['a.git', 'path'],
  ['https://h/a.tgz', 'url'],
  ['HTTP://h/a?x=.git', 'url'],
  ['https://h/a.git', 'git'],
  ['https://h/a.git?ref=b#c:d', 'git'],
  ['git://h/a', 'git'],
  ['ssh://git@h/a', 'git'],
  ['git@github.com:a/b.git', 'git'],
])('%s is a %s', (source, kind) => {
  expect(transferSourceKind(source)).toBe(kind);
});

test('an environment that no program could get is refused', () => {
  const value = 'x'.repeat(60_000);
  const lines = Array.from({ length: 40 }, (_, index) => `ENV v${index}=${value}`);
  expect(() => evaluate(`FROM a\n${lines.join('\n')}`)).toThrow('the environment is too large');
  const doubled = Array.from({ length: 40 }, (_, index) => `ENV v${index + 1}=$v${index}$v${index}`);
  expect(() => evaluate(`FROM a\nENV v0=x\n${doubled.join('\n')}`)).toThrow(/too (?:large|long)/);
});

describe('a RUN starts', () => {
  test.each<[string, string[], string?]>([
    ['RUN a  "b"', ['/bin/sh', '-c', 'a  "b"']],
    ['RUN ["a", "b"]', ['a', 'b']],
    ['RUN <<E\na\nb\nE', ['/bin/sh', '-c', 'a\nb\n']],
    ['RUN <<-E\n\ta\n\tE', ['/bin/sh', '-c', 'a\n']],
    ['RUN <<E python3\na\nE', ['/bin/sh', '-c', '<<E python3\na\nE']],
    ['RUN cat <<E <<F\n1\nE\n2\nF', ['/bin/sh', '-c', 'cat <<E <<F\n1\nE\n2\nF']],
    ['RUN <<E\n#!/bin/x\na\nE', ['/bin/sh', '-c', '/dev/pipes/E'], '#!/bin/x\na\n'],
  ])('%j', (line, words, script) => {
    const run = last(line);
    if (run.kind !== 'run') throw new Error('no RUN');
    expect(runCommandLine(run, DEFAULT_SHELL)).toEqual({
      words,
      script: script === undefined ? undefined : { path: '/dev/pipes/E', content: script },
    });
  });

  test('with the shell that SHELL names', () => {
    expect(shellForm({ shell: true, words: ['x'] }, ['bash', '-ec'])).toEqual(['bash', '-ec', 'x']);
  });
});

test.each<[string, string | undefined]>([
  ['RUN x', 'RUN |2 a=1 b= /bin/sh -c x # buildkit'],
  [
    'COPY --link --chown=1 --chmod=644 --parents s <<E /d\nE',
    'COPY --parents --chown=1 --chmod=644 s <<E /d # buildkit',
  ],
  ['ADD s /d', 'ADD s /d # buildkit'],
  ['ARG x y=1', 'ARG x y=1'],
  ['CMD ["a", "b c"]', 'CMD ["/bin/sh" "-c" "x"]'],
  ['ENTRYPOINT x', 'ENTRYPOINT ["/bin/sh" "-c" "x"]'],
  ['ENV a=1 b="2 3"', 'ENV a=1 b=2 3'],
  ['LABEL a=1', 'LABEL a=1'],
  ['EXPOSE 80 443', 'EXPOSE [443/tcp 80/tcp]'],
  [
    'HEALTHCHECK --interval=1m30s --retries=2 CMD x',
    'HEALTHCHECK {Test:[CMD-SHELL x] Interval:1m30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:2}',
  ],
  ['MAINTAINER m', 'MAINTAINER m'],
  ['ONBUILD RUN x', undefined],
  ['SHELL ["a", "b"]', 'SHELL [a b]'],
  ['STOPSIGNAL 9', 'STOPSIGNAL 9'],
  ['USER u', 'USER u'],
  ['VOLUME /a /b', 'VOLUME [/a /b]'],
  ['WORKDIR b', 'WORKDIR /a/b'],
])('the history of %j is %j', (line, expected) => {
  const { instructions, variables } = evaluate(`FROM a\nARG a=1 b\n${line}`);
  const instruction = instructions.at(-1);
  if (instruction === undefined) throw new Error('no instruction');
  const words = ['/bin/sh', '-c', 'x'];
  expect(createdBy(instruction, { words, declared: variables.declared, workingDirectory: '/a/b' })).toBe(
    expected,
  );
});
