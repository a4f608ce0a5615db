/** `build` as its user and other programs see it: streams, terminals, pipes that close. Steps without a command need no VM. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { a3s, a3sOk, CliProcess, LAUNCHER } from '../fixture/cli.ts';
import { CTRL_C, Terminal } from '../fixture/terminal.ts';
import { makeContext } from './fixture/context.ts';

const NAME = 'build-progress';
const ID = /^sha256:[0-9a-f]{64}\n$/;
let context: string;

beforeAll(() => {
  context = makeContext({ f: 'content' }, 'FROM scratch as x\nCOPY f /f\n');
});
afterAll(async () => {
  await a3s(['rmi', '-f', NAME]);
  rmSync(context, { recursive: true, force: true });
});

describe.each([['build'], ['image', 'build'], ['builder', 'build'], ['buildx', 'build'], ['buildx', 'b']])(
  '%j',
  (...words) => {
    test('-q prints the ID of the image, and nothing else', async () => {
      const { status, out, err } = await a3s([...words, '-q', '-t', NAME, context]);
      expect([status, err]).toEqual([0, '']);
      expect(out).toMatch(ID);
      expect(out.trim()).toBe(await a3sOk(['image', 'inspect', '-f', '{{.Id}}', NAME]));
    });
  },
);

test('what is not a terminal gets plain progress on stderr, and the findings', async () => {
  await a3sOk(['build', '-q', context]);
  const { status, out, err } = await a3s(['build', '-t', NAME, context]);
  expect([status, out]).toEqual([0, '']);
  expect(err).toMatch(
    /^#0 building with "default" instance using a3s-box driver\n\n#1 \[internal\] load build definition/,
  );
  expect(err).toMatch(/\n#\d+ \[\d\/\d\] COPY f \/f\n#\d+ CACHED\n/);
  expect(err).toMatch(
    /\n#\d+ naming to docker.io\/library\/build-progress:latest done\n#\d+ DONE \d+\.\ds\n/,
  );
  expect(
    err.endsWith(`
 1 warning found (use --debug to expand):
 - FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)
`),
  ).toBe(true);
});

test('a context that is not there, and one without a Dockerfile', async () => {
  expect(await a3s(['build', '/nosuch'])).toMatchObject({
    status: 1,
    out: '',
    err: 'ERROR: unable to prepare context: path "/nosuch" not found\n',
  });
  expect(await a3s(['build', '-f', 'Other', context])).toMatchObject({
    status: 1,
    out: '',
    err: 'ERROR: failed to solve: failed to read dockerfile: open Other: no such file or directory\n',
  });
});

test('BUILDKIT_PROGRESS says how, and DOCKER_BUILDKIT=0 changes nothing', async () => {
  const env = { BUILDKIT_PROGRESS: 'rawjson', DOCKER_BUILDKIT: '0' };
  const { status, err } = await a3s(['build', context], { env });
  expect(status).toBe(0);
  const [word, ...lines] = err.trimEnd().split('\n');
  expect(word).toBe(
    'DOCKER_BUILDKIT=0 has no effect: there is one builder, and it takes what BuildKit takes',
  );
  expect(lines.length).toBeGreaterThan(4);
  expect(() => lines.map((line) => JSON.parse(line) as unknown)).not.toThrow();
});

test('without a reader of its progress the build goes on', async () => {
  const build = new CliProcess(['build', '--no-cache', '-q', '--progress', 'quiet', '-t', NAME, context]);
  build.child.stderr.destroy();
  build.child.stdin.end();
  expect((await build.ended).status).toBe(0);
  const plain = new CliProcess(['build', '--no-cache', '--progress', 'plain', '-t', NAME, context]);
  plain.child.stderr.destroy();
  plain.child.stdin.end();
  expect((await plain.ended).status).toBe(0);
});

test('a reader that does not want the ID ends the command quietly', async () => {
  const build = new CliProcess(['build', '-q', context]);
  build.child.stdout.destroy();
  build.child.stdin.end();
  const { status, err } = await build.ended;
  expect([status, err]).toEqual([141, '']);
});

test('a terminal gets a picture, with a command its last lines, and Ctrl-C ends it', async () => {
  const slow = makeContext({}, 'FROM a3s/base\nRUN echo begun; sleep 600\n');
  try {
    const terminal = await Terminal.open(`${LAUNCHER} build --no-cache ${slow}`, { rows: 24, cols: 80 });
    await terminal.shows(/=> => # begun/);
    terminal.type(CTRL_C);
    const { screen, status, settings } = await terminal.ended();
    expect(status).toBe(130);
    expect(settings.after).toBe(settings.before);
    expect(screen).toMatch(/=> CANCELED \[2\/2\] RUN echo begun; sleep 600 +\d+\.\ds/);
    expect(screen.endsWith('ERROR: failed to solve: Canceled: context canceled\n')).toBe(true);
    // The cursor is there again.
    expect(screen.lastIndexOf('\u001B[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001B[?25l'));
  } finally {
    rmSync(slow, { recursive: true, force: true });
  }
});
