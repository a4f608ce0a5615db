/** Whatever the text: an answer or an error about the Dockerfile, soon. A failing seed is in the test's name. */
import { expect, test } from 'vitest';

import { DockerfileError } from '../../../../src/build/dockerfile/error.ts';
import { StageEvaluator } from '../../../../src/build/dockerfile/evaluate/stage-evaluator.ts';
import { StageVariables } from '../../../../src/build/dockerfile/evaluate/stage-variables.ts';
import { parseDockerfile } from '../../../../src/build/dockerfile/parse-dockerfile.ts';
import { resolveStages } from '../../../../src/build/dockerfile/plan/resolve-stages.ts';
import { randomSource } from '../../random.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64', variant: '' };

const SEED_TEXT = `# syntax=docker/dockerfile:1
# escape=\\
ARG TAG=\${A:-1} B="x y"
FROM --platform=$BUILDPLATFORM alpine:$TAG AS base
ENV a=1 b="\${a#?}" c=\${b/x/y}
RUN --mount=type=cache,target=/c,id=\${a} --mount=type=secret,id=s --network=none echo $a \\
  # comment
  && true
RUN <<-"EOF" cat <<B
	one
	EOF
two
B
FROM scratch
COPY --from=base --chown=1:2 --chmod=0644 ["a b", "/c"]
COPY <<E /x
$a \${b:+c}
E
ADD --checksum=sha256:00 https://h/x /y
HEALTHCHECK --interval=5s --retries=3 CMD ["a"]
EXPOSE 80/tcp 90-99
VOLUME ["/v"]
LABEL a b c
ONBUILD RUN x
SHELL ["/bin/sh", "-c"]
STOPSIGNAL TERM
USER u
WORKDIR /w
CMD x
`;

const PIECES =
  `\n|\\\n| |\t|"|'|\\|\`|$|\${|}|:-|:?|#|##|%|/|//|<<|<<-|EOF|[|]|=|,|--|--mount=|--from=|FROM |RUN |COPY |ENV |ARG |ONBUILD |*|?|\r|\0|\u0085|é|😀|\ud800|!`.split(
    '|',
  );

function pick<T>(random: () => number, from: ArrayLike<T>): T | undefined {
  return from[Math.floor(random() * from.length)];
}

function mutated(random: () => number): string {
  let text = SEED_TEXT;
  for (let change = Math.floor(random() * 6); change >= 0; change--) {
    const at = Math.floor(random() * text.length);
    const end = at + Math.floor(random() * 8) * Math.floor(random() * 2);
    const piece = pick(random, PIECES) ?? '';
    text = text.slice(0, at) + piece.repeat(Math.floor(random() * 3)) + text.slice(end);
  }
  return text;
}

function noise(random: () => number): string {
  const bytes = Uint8Array.from({ length: Math.floor(random() * 400) }, () => Math.floor(random() * 256));
  return new TextDecoder().decode(bytes);
}

function pieces(random: () => number): string {
  return Array.from({ length: Math.floor(random() * 60) }, () => pick(random, PIECES) ?? '').join('');
}

/** Everything that is done with a Dockerfile before anything is built. True when nothing was wrong. */
function understand(text: string): boolean {
  try {
    const plan = resolveStages(parseDockerfile(text), {
      buildArguments: new Map([['A', '2']]),
      platform: PLATFORM,
      buildPlatform: PLATFORM,
    });
    for (const { instructions } of plan.stages) {
      const evaluator = new StageEvaluator(plan, StageVariables.ofImage([]));
      for (const { instruction } of instructions) evaluator.evaluate(instruction);
    }
    return true;
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    expect(error.message).not.toBe('');
    return false;
  }
}

test('the Dockerfile that is changed is right to begin with, but for a digest', () => {
  expect(understand(SEED_TEXT)).toBe(false);
  expect(understand(SEED_TEXT.replace('--checksum=sha256:00 ', ''))).toBe(true);
});

test.each([1, 2, 3])('seed %i: changed Dockerfiles are understood or refused', (seed) => {
  const random = randomSource(seed);
  for (let round = 0; round < 700; round++) understand(mutated(random));
});

test.each([4, 5])('seed %i: random bytes and pieces are understood or refused', (seed) => {
  const random = randomSource(seed);
  for (let round = 0; round < 1000; round++) understand(noise(random));
  for (let round = 0; round < 1000; round++) understand(`FROM a\n${pieces(random)}`);
});

// A text that is eight times as long would take 64 times as long if anything grew with its square.
test.each<[string, (times: number) => string]>([
  ['instructions', (times) => `FROM a\n${'ENV a=b c="d e"\n'.repeat(times)}`],
  ['continued lines', (times) => `FROM a\nRUN ${'x \\\n'.repeat(times)}`],
  ['empty lines', (times) => `FROM a\n${' \n'.repeat(times)}`],
  ['comments', (times) => `${'# comment\n'.repeat(times)}FROM a`],
  ['heredocs', (times) => `FROM a\n${'COPY <<E /x\n$a\nE\n'.repeat(times)}`],
  ['lines of a heredoc', (times) => `FROM a\nCOPY <<E /x\n${'$PATH\n'.repeat(times)}E\n`],
  ['names', (times) => `FROM a\n${numbered(times, (index) => `ARG v${index}=$v${index - 1}`)}`],
  ['stages', (times) => numbered(times, (index) => `FROM s${index} AS s${index + 1}`)],
  ['flags', (times) => `FROM a\nCOPY ${'--exclude=a '.repeat(times)} b c`],
  ['mounts', (times) => `FROM a\nRUN ${'--mount=target=/a '.repeat(times)} b`],
])('many %s take time in proportion', (_name, make) => {
  const small = fastest(make(400));
  const large = fastest(make(3200));
  expect(large).toBeLessThan(32 * Math.max(small, 5));
});

function numbered(times: number, line: (index: number) => string): string {
  return Array.from({ length: times }, (_, index) => line(index)).join('\n');
}

/** Milliseconds of processor time, the least of three: others use the machine as well. */
function fastest(text: string): number {
  const times = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    understand(text);
    return process.cpuUsage(before).user / 1000;
  });
  return Math.min(...times);
}
