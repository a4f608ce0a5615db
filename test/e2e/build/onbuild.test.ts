/** ONBUILD of an image in the store: what another build on it does. Of stages, see cases/stages.ts. */
import { rmSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';

import { a3s, a3sOk, type Outcome } from '../fixture/cli.ts';
import { makeContext } from './fixture/context.ts';

const PARENT = 'onbuild-parent';
const CHILD = 'onbuild-child';
const GRANDCHILD = 'onbuild-grandchild';
const contexts: string[] = [];

afterEach(async () => {
  await a3s(['rmi', '-f', GRANDCHILD, CHILD, PARENT]);
  for (const context of contexts.splice(0)) rmSync(context, { recursive: true, force: true });
});

/** Builds a Dockerfile beside a file `f`. */
async function build(lines: readonly string[], words: readonly string[] = [], status = 0): Promise<Outcome> {
  const context = makeContext({ f: 'from the context\n' }, `${lines.join('\n')}\n`);
  contexts.push(context);
  const outcome = await a3s(['build', '--progress', 'plain', ...words, context]);
  expect(outcome.status, outcome.err).toBe(status);
  return outcome;
}

/** What a build prints as the names of its stages' steps, in order. */
function steps({ err }: Outcome): string[] {
  return [...err.matchAll(/^#\d+ (\[(?:\S+ )?\d+\/\d+\] .+)$/gm)].map(([, text = '']) => text);
}

async function configOf(image: string): Promise<unknown> {
  return JSON.parse(await a3sOk(['image', 'inspect', '-f', '{{json .Config}}', image]));
}

async function historyOf(image: string): Promise<string[]> {
  const text = await a3sOk(['history', '--no-trunc', '--format', '{{.CreatedBy}}', image]);
  return text.split('\n').toReversed();
}

const TRIGGERS = [
  'ARG WORD=unset',
  'ENV GREETING="hello $WHO"',
  'WORKDIR /app',
  'COPY f ./',
  'RUN echo "$GREETING, $WORD" >>f',
];

test('triggers run once, first of all, in the build on the image', async () => {
  const onBuild = TRIGGERS.map((trigger) => `ONBUILD ${trigger}`);
  const parent = ['FROM a3s/base', 'ENV WHO=parent', ...onBuild, 'RUN test ! -e /app'];
  expect(steps(await build(parent, ['-t', PARENT]))).toEqual([
    '[1/2] FROM docker.io/a3s/base:latest',
    '[2/2] RUN test ! -e /app',
  ]);
  expect(await configOf(PARENT)).toMatchObject({ OnBuild: TRIGGERS, WorkingDir: '/' });

  const child = [`FROM ${PARENT}`, 'RUN echo child >>f', 'CMD ["cat", "f"]'];
  const words = ['--build-arg', 'WORD=given', '-t', CHILD];
  const made = [
    `[1/7] FROM docker.io/library/${PARENT}:latest`,
    '[2/7] ONBUILD WORKDIR /app',
    '[3/7] ONBUILD COPY f ./',
    '[4/7] ONBUILD RUN echo "hello parent, given" >>f',
    '[5/7] RUN echo child >>f',
  ];
  expect(steps(await build(child, words))).toEqual(made);
  expect(await configOf(CHILD)).toMatchObject({ WorkingDir: '/app', Cmd: ['cat', 'f'] });
  expect(await configOf(CHILD)).not.toHaveProperty('OnBuild');
  const run = 'RUN |1 WORD=given /bin/sh -c';
  const history = [
    'ARG WORD=given',
    'ENV GREETING=hello parent',
    'WORKDIR /app',
    'COPY f ./ # buildkit',
    `${run} echo "$GREETING, $WORD" >>f # buildkit`,
    `${run} echo child >>f # buildkit`,
    'CMD ["cat" "f"]',
  ];
  const parents = await historyOf(PARENT);
  expect(await historyOf(CHILD)).toEqual([...parents, ...history]);

  // Once: what is built on the child has them as layers, not as triggers.
  const grandchild = [`FROM ${CHILD}`, 'RUN echo grandchild >>f'];
  expect(steps(await build(grandchild, ['-t', GRANDCHILD]))).toEqual([
    `[1/2] FROM docker.io/library/${CHILD}:latest`,
    '[2/2] RUN echo grandchild >>f',
  ]);
  expect(await configOf(GRANDCHILD)).not.toHaveProperty('OnBuild');
  expect(await a3sOk(['run', '--rm', GRANDCHILD])).toBe(
    'from the context\nhello parent, given\nchild\ngrandchild',
  );

  // The same again is found.
  const again = await build(child, words);
  expect(steps(again)).toEqual(made);
  const [base, ...numbers] = [...again.err.matchAll(/^#(\d+) \[\d\/\d\] /gm)].map(([, number]) => number);
  expect(base).toBeDefined();
  for (const number of numbers) expect(again.err).toContain(`\n#${number} CACHED\n`);
});

test('a trigger takes from stages of the Dockerfile, and from images that only it names', async () => {
  await build(['FROM scratch', 'COPY f /image'], ['-t', CHILD]);
  const triggers = [
    'ONBUILD COPY --from=made /stage /',
    `ONBUILD COPY --from=${CHILD} /image /`,
    `ONBUILD RUN --mount=from=${CHILD},target=/m cat /m/image - <<END >/both`,
    'from a heredoc',
    'END',
  ];
  await build(['FROM a3s/base', ...triggers], ['-t', PARENT]);
  const here = [
    'FROM a3s/base AS made',
    'RUN echo from a stage >/stage',
    `FROM ${PARENT}`,
    'CMD cat /stage /image /both',
  ];
  expect(steps(await build(here, ['-t', GRANDCHILD])).toSorted()).toEqual([
    '[made 1/2] FROM docker.io/a3s/base:latest',
    '[made 2/2] RUN echo from a stage >/stage',
    `[stage-1 1/4] FROM docker.io/library/${PARENT}:latest`,
    '[stage-1 2/4] ONBUILD COPY --from=made /stage /',
    `[stage-1 3/4] ONBUILD COPY --from=${CHILD} /image /`,
    `[stage-1 4/4] ONBUILD RUN --mount=from=${CHILD},target=/m cat /m/image - <<END >/both`,
  ]);
  expect(await a3sOk(['run', '--rm', GRANDCHILD])).toBe(
    'from a stage\nfrom the context\nfrom the context\nfrom a heredoc',
  );
});

test('a trigger that fails is told of where the image is named', async () => {
  await build(['FROM a3s/base', 'ONBUILD RUN exit 3'], ['-t', PARENT]);
  const { err } = await build(['# The image has a trigger.', `FROM ${PARENT}`, 'RUN true'], [], 3);
  expect(err).toContain('\n > [2/3] ONBUILD RUN exit 3:\n');
  expect(err).toContain(`\n   2 | >>> FROM ${PARENT}\n`);
  expect(err).toContain('process "/bin/sh -c exit 3" did not complete successfully: exit code: 3\n');
});
