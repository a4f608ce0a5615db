/** Flags of `build` by what they do, and what they print. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startRegistry, type TestRegistry } from '../../fixture/registry/docker-registry.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { a3s, a3sOk } from '../fixture/cli.ts';
import { fill } from './fixture/context.ts';

const NAME = 'build-flags:1';
const WARNED = 'FROM scratch\nCMD echo shell\n';
const RULE =
  'JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals';
const EXCERPT = [
  'Dockerfile:2',
  '--------------------',
  '   1 |     FROM scratch',
  '   2 | >>> CMD echo shell',
  '   3 |     ',
  '--------------------',
];
const URL = 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  await a3s(['rmi', '-f', NAME]);
  await registry.close();
});

function contextOf(dockerfile: string): string {
  const context = join(temporaryDirectory(), 'context');
  fill(context, { Dockerfile: dockerfile, c: 'content' });
  return context;
}

test('limits, hosts and the network of commands', async () => {
  const shown = [
    'df /dev/shm | tail -1 | tr -s " " | cut -d" " -f2',
    'grep mirror /etc/hosts',
    'ulimit -n; ulimit -Hn',
    'ls /sys/class/net',
    'nproc',
    'cat /sys/fs/cgroup/memory.max',
  ];
  const out = join(temporaryDirectory(), 'out');
  const context = contextOf(
    `FROM a3s/base AS run\nRUN (${shown.join('; ')}) >/seen\nFROM scratch\nCOPY --from=run /seen /\n`,
  );
  const flags =
    '--shm-size 8m --add-host mirror:10.0.0.1 --ulimit nofile=99:100 --network none --cpus 1 --memory 256m';
  await a3sOk(['build', '-q', ...flags.split(' '), '-o', out, context], { deadlineMs: 120_000 });
  const seen = readFileSync(join(out, 'seen'), 'utf8');
  expect(seen.split('\n')).toEqual([
    '8192',
    '10.0.0.1\tmirror',
    '99',
    '100',
    'lo',
    '1',
    String(256 * 1024 ** 2),
    '',
  ]);
});

test.each<[string, readonly string[], NodeJS.ProcessEnv, string]>([
  ['--platform', ['--platform', 'linux/s390x'], {}, 'linux/s390x'],
  ['DOCKER_DEFAULT_PLATFORM', [], { DOCKER_DEFAULT_PLATFORM: 'linux/arm64' }, 'linux/arm64'],
  [
    '--platform rather than the variable',
    ['--platform', 'linux/arm'],
    { DOCKER_DEFAULT_PLATFORM: 'linux/386' },
    'linux/arm',
  ],
])('the platform of the image: %s', async (_what, flags, env, platform) => {
  const context = contextOf('FROM scratch\nARG TARGETPLATFORM\nCOPY c /c\nLABEL p=$TARGETPLATFORM\n');
  const id = await a3sOk(['build', '-q', ...flags, '-t', NAME, context], { env });
  const shown = '{{.Id}} {{.Os}}/{{.Architecture}}';
  expect(await a3sOk(['image', 'inspect', '-f', shown, NAME])).toBe(`${id} ${platform}`);
  expect(await a3sOk(['image', 'inspect', '-f', '{{.Config.Labels.p}}', NAME])).toMatch(platform);
});

test('FROM --platform takes the image that a variable names', async () => {
  const context = contextOf('FROM --platform=$BUILDPLATFORM a3s/base\nLABEL l=1\n');
  const id = await a3sOk(['build', '-q', '--load', '-t', NAME, context]);
  expect(await a3sOk(['image', 'inspect', '-f', '{{.Id}} {{.Architecture}}', NAME])).toBe(`${id} amd64`);
});

test('--pull asks the registry, and nothing does without it', async () => {
  const name = `${registry.domain}/flags/base:1`;
  const publish = async (content: string): Promise<void> => {
    const context = contextOf('FROM scratch\nCOPY c /c\n');
    writeFileSync(join(context, 'c'), content);
    await a3sOk(['build', '-q', '-t', name, '--push', context]);
  };
  const built = async (flags: readonly string[]): Promise<string> => {
    const out = join(temporaryDirectory(), 'out');
    await a3sOk(['build', '-q', ...flags, '-o', out, contextOf(`FROM ${name}\n`)]);
    return readFileSync(join(out, 'c'), 'utf8');
  };
  await publish('old');
  const old = join(temporaryDirectory(), 'old.tar');
  await a3sOk(['save', '-o', old, name]);
  await publish('new');
  await a3sOk(['load', '-q', '-i', old]);
  expect(await built([])).toBe('old');
  expect(await built(['--pull'])).toBe('new');
  await a3sOk(['rmi', '-f', name]);
});

test('--check tells what it finds and builds nothing', async () => {
  const clean = await a3s(['build', '--check', '-t', NAME, contextOf('FROM scratch\nCMD ["c"]\n')]);
  expect([clean.status, clean.out]).toEqual([0, 'Check complete, no warnings found.\n']);
  const { status, out } = await a3s(['build', '--check', contextOf(WARNED)]);
  const told = [`WARNING: JSONArgsRecommended - ${URL}`, RULE.replace(/^\w+: /, ''), ...EXCERPT];
  expect(out).toBe(['Check complete, 1 warning has been found!', '', ...told, ''].join('\n'));
  expect(status).toBe(1);
});

test('warnings are told in full with -D', async () => {
  const context = contextOf(WARNED);
  const warnings = async (flags: readonly string[]): Promise<string> => {
    const { err } = await a3s(['build', '--progress', 'plain', ...flags, context]);
    return err.slice(err.indexOf(' 1 warning found'));
  };
  expect(await warnings([])).toBe(` 1 warning found (use --debug to expand):\n - ${RULE} (line 2)\n`);
  const full = [
    ' 1 warning found:',
    ` - ${RULE} (line 2)`,
    'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
    `More info: ${URL}`,
    ...EXCERPT,
    '',
    '',
  ];
  expect(await warnings(['-D'])).toBe(full.join('\n'));
});

test('annotations stand in the manifest', async () => {
  const archive = join(temporaryDirectory(), 'image.tar');
  const output = ['-o', `type=oci,dest=${archive}`];
  const context = contextOf('FROM scratch\nCOPY c /c\n');
  await a3sOk(['build', '-q', '--annotation', 'a=b', '--annotation', 'manifest:c=d', ...output, context]);
  const manifest: unknown = JSON.parse(
    execFileSync('skopeo', ['inspect', '--raw', `oci-archive:${archive}`]).toString(),
  );
  expect(manifest).toMatchObject({ annotations: { a: 'b', c: 'd' } });
  const { status, err } = await a3s(['build', '-q', '--annotation', 'index:a=b', ...output, context]);
  expect([status, err]).toEqual([1, 'ERROR: index annotations not supported for single platform export\n']);
});
