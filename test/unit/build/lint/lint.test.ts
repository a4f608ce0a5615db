/** The cases of BuildKit's own tests (frontend/dockerfile/dockerfile_check_test.go), and what they leave out. */
import { describe, expect, test } from 'vitest';

import { lintDockerfile, type LintOptions } from '../../../../src/build/lint/lint-dockerfile.ts';
import { rules, type RuleName, ruleUrl } from '../../../../src/build/lint/rules.ts';
import { hostPlatform } from '../../../../src/images/platform.ts';

const ALPINE = {
  environment: ['PATH=/bin'],
  shell: false,
  triggers: [],
  platform: hostPlatform(),
};

function lint(lines: readonly string[], options: Partial<LintOptions> = {}) {
  return lintDockerfile(`${lines.join('\n')}\n`, {
    buildArguments: new Map(),
    platform: hostPlatform(),
    buildPlatform: hostPlatform(),
    ignorePatterns: [],
    images: () => ALPINE,
    every: true,
    ...options,
  });
}

/** `Rule line: message`, by line and message. */
function found(lines: readonly string[], options: Partial<LintOptions> = {}): string[] {
  const { warnings, error } = lint(lines, options);
  expect(error).toBeUndefined();
  return warnings
    .toSorted(
      (one, other) =>
        (one.lines[0]?.[0] ?? 0) - (other.lines[0]?.[0] ?? 0) || (one.message < other.message ? -1 : 1),
    )
    .map(({ rule, message, lines: [first] }) => `${rule} ${first?.[0]}: ${message}`);
}

interface Case {
  dockerfile: string[];
  options?: Partial<LintOptions>;
  /** None when left out. */
  warnings?: string[];
}

function check(cases: readonly Case[]): void {
  for (const { dockerfile, options, warnings = [] } of cases) {
    expect(found(dockerfile, options), dockerfile.join('\n')).toEqual(warnings);
  }
}

const buildArguments = (values: Record<string, string>): Partial<LintOptions> => ({
  buildArguments: new Map(Object.entries(values)),
});

test('every finding has its explanation and its page', () => {
  const { warnings } = lint(['FROM scratch AS Bad']);
  expect(warnings).toEqual([
    {
      rule: 'StageNameCasing',
      description: 'Stage names should be lowercase',
      url: 'https://docs.docker.com/go/dockerfile/rule/stage-name-casing/',
      message: "Stage name 'Bad' should be lowercase",
      lines: [[1, 1]],
    },
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table
  const pages = (Object.keys(rules) as RuleName[]).map((name) => ruleUrl(name).split('/').at(-2));
  expect(new Set(pages)).toEqual(
    new Set([
      'stage-name-casing',
      'from-as-casing',
      'no-empty-continuation',
      'consistent-instruction-casing',
      'duplicate-stage-name',
      'reserved-stage-name',
      'json-args-recommended',
      'maintainer-deprecated',
      'undefined-arg-in-from',
      'workdir-relative-path',
      'undefined-var',
      'legacy-key-value-format',
      'multiple-instructions-disallowed',
      'redundant-target-platform',
      'secrets-used-in-arg-or-env',
      'invalid-default-arg-in-from',
      'from-platform-flag-const-disallowed',
      'copy-ignored-file',
      'invalid-definition-description',
      'expose-proto-casing',
      'expose-invalid-format',
      undefined,
    ]),
  );
});

describe('check options', () => {
  const dockerfile = ['FROM scratch as base', 'copy Dockerfile .'];
  const AS = "FromAsCasing 2: 'as' and 'FROM' keywords' casing do not match";
  const violation = 'lint violation found for rules: FromAsCasing';

  test.each([
    ['skip=all', [], undefined],
    ['skip=all;error=true', [], undefined],
    ['skip=ConsistentInstructionCasing,FromAsCasing', [], undefined],
    ['skip=ConsistentInstructionCasing,FromAsCasing;error=true', [], undefined],
    ['skip=ConsistentInstructionCasing', [AS], undefined],
    ['skip = ConsistentInstructionCasing ; error = true', [AS], violation],
  ])('%s', (options, warnings, message) => {
    const lines = [`#check=${options}`, ...dockerfile];
    expect(found(lines)).toEqual(warnings);
    expect(lint(lines).violation?.message).toBe(message);
  });

  test('the build argument takes the place of the directive', () => {
    const argument = (value: string) => buildArguments({ BUILDKIT_DOCKERFILE_CHECK: value });
    const skipAll = ['#check=skip=all', ...dockerfile];
    const one = argument('skip=ConsistentInstructionCasing;error=true');
    expect(found(skipAll, one)).toEqual([AS]);
    expect(lint(skipAll, one).violation?.message).toBe(violation);
    const strict = ['#check=error=true', ...dockerfile];
    expect(found(strict, argument('skip=all'))).toEqual([]);
    expect(lint(strict, argument('skip=all')).violation).toBeUndefined();
  });

  test.each([
    ['nothing', 'failed to parse check options: invalid check option "nothing"'],
    ['some=thing', 'failed to parse check options: invalid check option "some"'],
    [
      'error=perhaps',
      'failed to parse check options: failed to parse check option "error=perhaps": strconv.ParseBool: parsing "perhaps": invalid syntax',
    ],
  ])('%s is refused', (options, message) => {
    expect(lint([`# check=${options}`, 'FROM scratch']).error?.message).toBe(message);
  });
});

test('stage names and the words of FROM', () => {
  check([
    {
      dockerfile: [
        '',
        '# a comment',
        '#',
        'FROM scratch AS BadStageName',
        '',
        '# a comment',
        '#',
        'FROM scratch as base2',
        '',
        'FROM scratch AS base3',
      ],
      warnings: [
        "StageNameCasing 4: Stage name 'BadStageName' should be lowercase",
        "FromAsCasing 8: 'as' and 'FROM' keywords' casing do not match",
      ],
    },
    {
      dockerfile: ['from scratch AS base', '', 'from scratch as base2'],
      warnings: ["FromAsCasing 1: 'AS' and 'from' keywords' casing do not match"],
    },
    {
      dockerfile: ['FROM scratch AS b', 'FROM scratch AS b'],
      warnings: ['DuplicateStageName 2: Duplicate stage name "b", stage names should be unique'],
    },
    { dockerfile: ['FROM scratch AS b1', 'FROM scratch AS b2'] },
    {
      dockerfile: ['FROM scratch AS scratch', 'FROM scratch AS context'],
      warnings: [
        'ReservedStageName 1: Stage name should not use the same name as reserved stage "scratch"',
        'ReservedStageName 2: Stage name should not use the same name as reserved stage "context"',
      ],
    },
    { dockerfile: ['FROM scratch', 'FROM scratch AS a'] },
  ]);
});

test('empty lines in an instruction', () => {
  check([
    {
      dockerfile: ['', 'FROM scratch', '# a comment', 'COPY a \\', '', '.', 'COPY b \\', '.'],
      warnings: ['NoEmptyContinuation 6: Empty continuation line'],
    },
  ]);
});

test('the case of instructions', () => {
  const command = (word: string, casing: string, line: number): string =>
    `ConsistentInstructionCasing ${line}: Command '${word}' should match the case of the command majority (${casing})`;
  check([
    {
      dockerfile: ['From scratch as base', 'FROM scratch AS base2'],
      warnings: [command('From', 'uppercase', 1)],
    },
    {
      dockerfile: ['FROM scratch', 'copy a /foo', 'COPY a /bar'],
      warnings: [command('copy', 'uppercase', 2)],
    },
    {
      dockerfile: ['frOM scratch as base', 'from scratch as base2'],
      warnings: [command('frOM', 'lowercase', 1)],
    },
    {
      dockerfile: ['from scratch', 'COPY a /foo', 'copy a /bar'],
      warnings: [command('COPY', 'lowercase', 2)],
    },
    {
      dockerfile: ['from scratch', 'COPY a /foo', 'COPY a /bar', 'COPY a /baz'],
      warnings: [command('from', 'uppercase', 1)],
    },
    {
      dockerfile: ['FROM scratch', 'copy a /foo', 'copy a /bar', 'copy a /baz'],
      warnings: [command('FROM', 'lowercase', 1)],
    },
    { dockerfile: ['from scratch', 'copy a /foo', 'copy a /bar'] },
    { dockerfile: ['FROM scratch', 'COPY a /foo', 'COPY a /bar'] },
    { dockerfile: ['FROM alpine', "RUN <<'EOT'", 'env', 'EOT'] },
  ]);
});

test('commands for the shell', () => {
  const json = (word: string): string =>
    `JSONArgsRecommended 2: JSON arguments recommended for ${word} to prevent unintended behavior related to OS signals`;
  check([
    { dockerfile: ['FROM scratch', 'CMD mycommand'], warnings: [json('CMD')] },
    { dockerfile: ['FROM scratch', 'ENTRYPOINT mycommand'], warnings: [json('ENTRYPOINT')] },
    { dockerfile: ['FROM scratch', 'SHELL ["/usr/bin/customshell"]', 'CMD mycommand'] },
    { dockerfile: ['FROM scratch', 'SHELL ["/usr/bin/customshell"]', 'ENTRYPOINT mycommand'] },
    { dockerfile: ['FROM scratch AS base', 'SHELL ["/bin/mysh"]', 'FROM base', 'CMD mycommand'] },
    { dockerfile: ['FROM scratch AS base', 'SHELL ["/bin/mysh"]', 'FROM base', 'ENTRYPOINT mycommand'] },
    { dockerfile: ['FROM alpine', 'CMD mycommand'], options: { images: () => ({ ...ALPINE, shell: true }) } },
    { dockerfile: ['FROM scratch', '# check=skip=JSONArgsRecommended', 'CMD mycommand'] },
    { dockerfile: ['FROM scratch', '# check=skip=JSONArgsRecommended', 'ENTRYPOINT mycommand'] },
  ]);
});

test('MAINTAINER', () => {
  check([
    {
      dockerfile: ['FROM scratch', 'MAINTAINER me@example.org'],
      warnings: ['MaintainerDeprecated 2: Maintainer instruction is deprecated in favor of using label'],
    },
    { dockerfile: ['FROM scratch', 'LABEL org.opencontainers.image.authors="me@example.org"'] },
    { dockerfile: ['FROM scratch', '# check=skip=MaintainerDeprecated', 'MAINTAINER me@example.org'] },
  ]);
});

test('findings before an error are told', () => {
  const { warnings, error } = lint([
    'FROM scratch AS BadStageName',
    'MAINTAINER me@example.org',
    'BADCMD',
    'MAINTAINER you@example.org',
  ]);
  expect(warnings.map(({ rule, lines }) => [rule, lines])).toEqual([
    ['StageNameCasing', [[1, 1]]],
    ['MaintainerDeprecated', [[2, 2]]],
  ]);
  expect(error?.message).toBe('dockerfile parse error on line 3: unknown instruction: BADCMD');
  expect(error?.lines).toEqual({ first: 3, last: 3 });
});

test('arguments of FROM', () => {
  check([
    { dockerfile: ['ARG base=scratch', 'FROM $base', 'COPY a .'] },
    { dockerfile: ['ARG BUILDPLATFORM=linux/amd64', 'FROM --platform=$BUILDPLATFORM scratch'] },
    { dockerfile: ['FROM --platform=$BUILDPLATFORM scratch', 'COPY a .'] },
    { dockerfile: ['ARG DEBUG', 'FROM scratch${DEBUG}'] },
    { dockerfile: ['ARG DEBUG', 'FROM scra${DEBUG:-tch}'] },
    { dockerfile: ['ARG DEBUG=""', 'FROM scratch${DEBUG-@bogus}'] },
    {
      dockerfile: ['ARG tag=latest', 'FROM alpine:${tag}${version} AS b', 'COPY a .'],
      warnings: ["UndefinedArgInFrom 2: FROM argument 'version' is not declared"],
    },
  ]);
  for (const [dockerfile, warning, error] of [
    [
      ['FROM --platform=$BULIDPLATFORM scratch', 'COPY a .'],
      "FROM argument 'BULIDPLATFORM' is not declared (did you mean BUILDPLATFORM?)",
      'empty platform value from expression $BULIDPLATFORM (did you mean BUILDPLATFORM?)',
    ],
    [
      ['ARG MY_OS=linux', 'ARG MY_ARCH=amd64', 'FROM --platform=linux/${MYARCH} busybox'],
      "FROM argument 'MYARCH' is not declared (did you mean MY_ARCH?)",
      'failed to parse platform linux/${MYARCH}: "linux/": unknown operating system or architecture: invalid argument (did you mean MY_ARCH?)',
    ],
  ] as const) {
    const result = lint(dockerfile);
    expect(result.warnings.map(({ message }) => message)).toEqual([warning]);
    expect(result.error?.message).toBe(error);
  }
});

test('WORKDIR', () => {
  check([
    {
      dockerfile: ['FROM scratch', 'WORKDIR app/'],
      warnings: [
        'WorkdirRelativePath 2: Relative workdir "app/" can have unexpected results if the base image changes',
      ],
    },
    { dockerfile: ['FROM scratch AS a', 'WORKDIR /app', '', 'FROM a AS b', 'WORKDIR subdir/'] },
    { dockerfile: ['FROM scratch', '# check=skip=WorkdirRelativePath', 'WORKDIR app/'] },
  ]);
});

test('variables that are not set', () => {
  check([
    { dockerfile: ['FROM scratch', 'ARG foo', 'COPY Dockerfile${foo} .'] },
    { dockerfile: ['FROM alpine AS base', 'ARG foo=Dockerfile', '', 'FROM base', 'COPY $foo .'] },
    { dockerfile: ['FROM alpine', 'RUN echo $PATH'] },
    {
      dockerfile: ['FROM alpine', 'COPY $foo .', 'ARG foo=bar', 'RUN echo $foo'],
      warnings: ["UndefinedVar 2: Usage of undefined variable '$foo'"],
    },
    {
      dockerfile: [
        'FROM alpine',
        'ARG DIR_BINARIES=binaries/',
        'ARG DIR_ASSETS=assets/',
        'ARG DIR_CONFIG=config/',
        'COPY $DIR_ASSET .',
      ],
      warnings: ["UndefinedVar 5: Usage of undefined variable '$DIR_ASSET' (did you mean $DIR_ASSETS?)"],
    },
    {
      dockerfile: ['FROM alpine', 'ENV PATH=$PAHT:/tmp/bin'],
      warnings: ["UndefinedVar 2: Usage of undefined variable '$PAHT' (did you mean $PATH?)"],
    },
    {
      dockerfile: ['FROM alpine', 'COPY $ours .'],
      options: { images: () => ({ ...ALPINE, environment: ['ours=x'] }) },
    },
  ]);
});

test('an image that is not here may set every variable', () => {
  const images = () => undefined;
  check([{ dockerfile: ['FROM alpine', 'COPY $foo ${bar:?} .'], options: { images } }]);
});

test('stages that the target does not need count where all are asked for', () => {
  const dockerfile = ['FROM scratch AS first', 'COPY $foo .', '', 'FROM scratch AS second', 'COPY $bar .'];
  const first = "UndefinedVar 2: Usage of undefined variable '$foo'";
  const second = "UndefinedVar 5: Usage of undefined variable '$bar'";
  expect(found(dockerfile)).toEqual([first, second]);
  expect(found(dockerfile, { every: false })).toEqual([second]);
  expect(found(dockerfile, { every: false, target: 'first' })).toEqual([first]);
});

test('instructions of which the last one counts', () => {
  const multiple = (word: string, line: number): string =>
    `MultipleInstructionsDisallowed ${line}: Multiple ${word} instructions should not be used in the same stage because only the last one will be used`;
  check([
    {
      dockerfile: [
        'FROM scratch',
        'ENTRYPOINT ["/myapp"]',
        'ENTRYPOINT ["/myotherapp"]',
        'CMD ["/myapp"]',
        'CMD ["/myotherapp"]',
        'HEALTHCHECK CMD ["/myapp"]',
        'HEALTHCHECK CMD ["/myotherapp"]',
      ],
      warnings: [multiple('ENTRYPOINT', 2), multiple('CMD', 4), multiple('HEALTHCHECK', 6)],
    },
    {
      dockerfile: [
        'FROM scratch',
        'ENTRYPOINT ["/myapp"]',
        'CMD ["/myapp"]',
        'HEALTHCHECK CMD ["/myapp"]',
        'COPY <<EOF /a.txt',
        'Hello, World!',
        'EOF',
        'ENTRYPOINT ["/other"]',
        'CMD ["/other"]',
        'HEALTHCHECK CMD ["/other"]',
      ],
      warnings: [multiple('ENTRYPOINT', 2), multiple('CMD', 3), multiple('HEALTHCHECK', 4)],
    },
    {
      dockerfile: [
        'FROM scratch AS a',
        'ENTRYPOINT ["/a"]',
        'CMD ["/a"]',
        'HEALTHCHECK CMD ["/a"]',
        '',
        'FROM a AS b',
        'ENTRYPOINT ["/b"]',
        'CMD ["/b"]',
        'HEALTHCHECK CMD ["/b"]',
      ],
    },
  ]);
});

test('ENV and LABEL without an equals sign', () => {
  const legacy = (word: string, line: number): string =>
    `LegacyKeyValueFormat ${line}: "${word} key=value" should be used instead of legacy "${word} key value" format`;
  check([
    {
      dockerfile: ['FROM scratch', 'ENV testkey value', 'LABEL key value'],
      warnings: [legacy('ENV', 2), legacy('LABEL', 3)],
    },
    { dockerfile: ['FROM scratch', 'ENV testkey=value', 'LABEL key=value'] },
    {
      dockerfile: ['FROM scratch AS a', 'FROM a AS b', 'ENV testkey value', 'LABEL key value', 'FROM a AS c'],
      options: { every: false },
    },
    {
      dockerfile: [
        'FROM scratch',
        '# check=skip=LegacyKeyValueFormat',
        'ENV testkey value',
        '# check=skip=LegacyKeyValueFormat',
        'LABEL key value',
      ],
    },
    { dockerfile: ['FROM scratch', 'LABEL "with blank"=value', 'ENV a="b c" \\', '  d=e'] },
  ]);
});

test('platforms of FROM', () => {
  const redundant = (written: string): string =>
    `RedundantTargetPlatform 1: Setting platform to predefined ${written} in FROM is redundant as this is the default behavior`;
  check([
    { dockerfile: ['FROM --platform=$TARGETPLATFORM scratch'], warnings: [redundant('$TARGETPLATFORM')] },
    {
      dockerfile: ['FROM --platform=${TARGETPLATFORM} scratch'],
      warnings: [redundant('${TARGETPLATFORM}')],
    },
    { dockerfile: ['', '# check=skip=RedundantTargetPlatform', 'FROM --platform=$TARGETPLATFORM scratch'] },
    {
      dockerfile: ['FROM --platform=linux/amd64 scratch'],
      warnings: [
        'FromPlatformFlagConstDisallowed 1: FROM --platform flag should not use constant value "linux/amd64"',
      ],
    },
    { dockerfile: ['FROM --platform=linux/amd64 scratch AS my_amd64_stage'] },
    { dockerfile: ['FROM --platform=linux/amd64 scratch AS linux'] },
    {
      dockerfile: ['FROM example.org/x'],
      options: {
        platform: { os: 'linux', architecture: 'arm64', variant: '' },
        images: () => ({ ...ALPINE, platform: { os: 'linux', architecture: 'amd64', variant: '' } }),
      },
      warnings: [
        'InvalidBaseImagePlatform 1: Base image example.org/x was pulled with platform "linux/amd64", expected "linux/arm64" for current build',
      ],
    },
  ]);
});

test('names of secrets', () => {
  const secret = (instruction: string, name: string, line: number): string =>
    `SecretsUsedInArgOrEnv ${line}: Do not use ARG or ENV instructions for sensitive data (${instruction} "${name}")`;
  check([
    {
      dockerfile: [
        '# check=skip=InvalidDefinitionDescription',
        '',
        'FROM scratch',
        'ARG SECRET_PASSPHRASE',
        'ENV SUPER_Secret=foo',
        'ENV password=bar secret=baz',
        'ARG super_duper_secret_token=foo auth=bar',
        'ENV apikey=bar sunflower=foo',
        'ENV git_key=',
        'ENV PUBLIC_KEY=',
        'ARG public_token',
        'ARG SECRET_PASSPHRASE_FILE',
        'ENV password_file=bar secret_File=baz',
        'ARG AUTH_MODULE_VERSION',
        '# check=skip=SecretsUsedInArgOrEnv // allow secret in environment',
        'ENV password=bar',
        '# check=skip=SecretsUsedInArgOrEnv // allow secret in arg',
        'ARG password',
        '# check=skip=all // is local to only this instruction',
        'ENV alternate_password=bar',
        '# check=skip=all // is local to only this instruction',
        'ARG alternate_password',
      ],
      warnings: [
        secret('ARG', 'SECRET_PASSPHRASE', 4),
        secret('ENV', 'SUPER_Secret', 5),
        secret('ENV', 'password', 6),
        secret('ENV', 'secret', 6),
        secret('ARG', 'auth', 7),
        secret('ARG', 'super_duper_secret_token', 7),
        secret('ENV', 'apikey', 8),
        secret('ENV', 'git_key', 9),
      ],
    },
  ]);
});

test('bases that need a build argument', () => {
  const invalid = (base: string): string =>
    `InvalidDefaultArgInFrom 2: Default value for ARG ${base} results in empty or invalid base image name`;
  check([
    {
      dockerfile: ['ARG VERSION', 'FROM busybox:$VERSION'],
      options: buildArguments({ VERSION: 'latest' }),
      warnings: [invalid('busybox:$VERSION')],
    },
    {
      dockerfile: ['ARG IMAGE', 'FROM $IMAGE'],
      options: buildArguments({ IMAGE: 'busybox:latest' }),
      warnings: [invalid('$IMAGE')],
    },
    {
      dockerfile: ['ARG SFX="box:"', 'FROM busy${SFX}'],
      options: buildArguments({ SFX: 'box:latest' }),
      warnings: [invalid('busy${SFX}')],
    },
    {
      dockerfile: ['ARG VERSION="latest"', 'FROM busybox:${VERSION}'],
      options: buildArguments({ VERSION: 'latest' }),
    },
    {
      dockerfile: ['ARG BUSYBOX_VARIANT=""', 'FROM busybox:stable${BUSYBOX_VARIANT}'],
      options: buildArguments({ BUSYBOX_VARIANT: '-musl' }),
    },
    {
      dockerfile: ['ARG BUSYBOX_VARIANT', 'FROM busybox:stable${BUSYBOX_VARIANT}'],
      options: buildArguments({ BUSYBOX_VARIANT: '-musl' }),
    },
  ]);
});

test('files that .dockerignore leaves out', () => {
  const ignored = (verb: string, file: string, line: number): string =>
    `CopyIgnoredFile ${line}: Attempting to ${verb} file "${file}" that is excluded by .dockerignore`;
  const copies = ['FROM scratch', 'COPY Dockerfile .', 'ADD Dockerfile /windy'];
  check([
    {
      dockerfile: copies,
      options: { ignorePatterns: ['Dockerfile'] },
      warnings: [ignored('Copy', 'Dockerfile', 2), ignored('Add', 'Dockerfile', 3)],
    },
    {
      dockerfile: ['# check=skip=CopyIgnoredFile', ...copies],
      options: { ignorePatterns: ['Dockerfile'] },
    },
    {
      dockerfile: [
        'FROM scratch AS base',
        'COPY Dockerfile /foobar',
        'ADD Dockerfile /windy',
        'FROM base',
        'COPY --from=base /foobar /Dockerfile',
      ],
      options: { ignorePatterns: ['foobar'] },
    },
    {
      dockerfile: ['FROM scratch', 'COPY ./Dockerfile .'],
      options: { ignorePatterns: ['**', '!Dockerfile'] },
    },
    { dockerfile: ['FROM scratch', 'COPY . .'], options: { ignorePatterns: ['**', '!Dockerfile'] } },
    { dockerfile: ['FROM scratch', 'COPY . .'], options: { ignorePatterns: ['.*'] } },
    {
      dockerfile: ['FROM scratch', 'COPY . .'],
      options: { ignorePatterns: ['*'] },
      warnings: [ignored('Copy', '.', 2)],
    },
    {
      dockerfile: ['FROM scratch', 'COPY ./src/ a//b/c .', 'ADD https://example.org/src .'],
      options: { ignorePatterns: ['src', 'a/b'] },
      warnings: [ignored('Copy', 'a/b/c', 2), ignored('Copy', 'src', 2)],
    },
  ]);
});

test('comments that describe', () => {
  const described = (instruction: string, name: string, line: number): string =>
    `InvalidDefinitionDescription ${line}: Comment for ${instruction} should follow the format: \`# ${name} <description>\``;
  const wrong = [
    '# bar this is the bar',
    'ARG foo=bar',
    '# BasE this is the BasE image',
    'FROM scratch AS base',
    '# definitely a bad comment',
    'ARG version=latest',
    '# definitely a bad comment',
    'ARG foo=baz bar=qux baz=quux',
  ];
  check([
    {
      dockerfile: [
        '# check=skip=all;experimental=InvalidDefinitionDescription',
        '# foo this is the foo',
        'ARG foo=bar',
        '',
        '# base this is the base image',
        'FROM scratch AS base',
        '',
        '# version this is the version number',
        'ARG version=latest',
        '',
        '# baz this is the baz',
        'ARG foo=baz bar=qux baz=quux',
        '#',
        'ARG bit=bat',
        '',
        '# comment for something other than ARG or FROM',
        'COPY Dockerfile .',
      ],
    },
    {
      dockerfile: ['# check=experimental=InvalidDefinitionDescription', ...wrong],
      warnings: [
        described('ARG', 'foo', 3),
        described('FROM', 'base', 5),
        described('ARG', 'version', 7),
        described('ARG', '<arg_key>', 9),
      ],
    },
    { dockerfile: wrong },
  ]);
});

test('EXPOSE', () => {
  const protocol = (port: string): string =>
    `ExposeProtoCasing 2: Defined protocol '${port}' in EXPOSE instruction should be lowercase`;
  const format = (port: string): string =>
    `ExposeInvalidFormat 2: EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`;
  check([
    {
      dockerfile: ['FROM scratch', 'EXPOSE 80/TcP 8080/TCP 8080/udp'],
      warnings: [protocol('80/TcP'), protocol('8080/TCP')],
    },
    {
      dockerfile: ['FROM scratch', 'EXPOSE 127.0.0.1:80:80 [::1]:8080:8080 5000:5000 8000'],
      warnings: [format('127.0.0.1:80:80'), format('5000:5000'), format('[::1]:8080:8080')],
    },
  ]);
});

test('triggers of an image are judged where FROM is', () => {
  const images = () => ({ ...ALPINE, triggers: ['CMD sh', 'ENV a $b'] });
  expect(found(['FROM alpine', 'CMD ["x"]'], { images })).toEqual([
    'LegacyKeyValueFormat 1: "ENV key=value" should be used instead of legacy "ENV key value" format',
    'JSONArgsRecommended 1: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals',
    'MultipleInstructionsDisallowed 1: Multiple CMD instructions should not be used in the same stage because only the last one will be used',
    "UndefinedVar 1: Usage of undefined variable '$b'",
  ]);
});

test('what is no Dockerfile is an error, not a finding', () => {
  expect(lint(['RUN true']).error?.message).toBe('no build stage in current context');
  expect(lint(['FROM scratch', 'COPY --from=later / /', 'FROM scratch AS later']).error?.message).toContain(
    'cannot copy from stage "later"',
  );
  expect(lint(['']).error?.message).toBe('file with no instructions');
});

test('a text of megabytes is read in a moment', () => {
  const variables = Array.from({ length: 20_000 }, (_, index) => `ENV v${index}=$w${index}`);
  const { warnings } = lint(['FROM scratch', ...variables]);
  expect(warnings.length).toBeGreaterThan(1000);
  const stages = Array.from({ length: 20_000 }, (_, index) => `FROM scratch AS s${index}`);
  expect(lint(stages).warnings).toEqual([]);
});
