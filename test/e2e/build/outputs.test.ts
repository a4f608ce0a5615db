/** What builds leave: images under several names, archives, directories, notes; and the same everywhere. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startRegistry, type TestRegistry } from '../../fixture/registry/docker-registry.ts';
import { a3s, a3sOk } from '../fixture/cli.ts';
import { machine } from '../fixture/machine.ts';
import { makeContext } from './fixture/context.ts';
import { describeTree } from './fixture/tree.ts';

const FILE =
  'FROM a3s/base AS build\nRUN mkdir /o && echo made >/o/f && ln -s f /o/l\nFROM scratch\nCOPY --from=build /o /\nCOPY c /c\nCMD ["/f"]\n';
const NAMES = ['build-out:1', 'build-out:two'];
let context: string;
let out: string;
let registry: TestRegistry;

beforeAll(async () => {
  context = makeContext({ c: 'context\n' }, FILE);
  out = mkdtempSync(join(tmpdir(), 'a3s-out-'));
  registry = await startRegistry();
});
afterAll(async () => {
  await a3s(['rmi', '-f', ...NAMES]);
  await registry.close();
  for (const directory of [context, out]) rmSync(directory, { recursive: true, force: true });
});

const TREE = { c: 'file 0644 0:0 "context\\n"', f: 'file 0644 0:0 "made\\n"', l: 'link 0:0 -> f' };

test('several names, the ID alone on stdout with -q, and in a file', async () => {
  const tags = NAMES.flatMap((name) => ['-t', name]);
  const iid = join(out, 'iid');
  const { status, out: printed, err } = await a3s(['build', '-q', ...tags, '--iidfile', iid, context]);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(printed).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  expect(readFileSync(iid, 'utf8')).toBe(printed.trim());
  for (const name of NAMES) {
    expect(await a3sOk(['image', 'inspect', '-f', '{{.Id}}', name])).toBe(printed.trim());
  }
});

test('without -q stdout is empty', async () => {
  const { status, out: printed, err } = await a3s(['build', context]);
  expect(status, err).toBe(0);
  expect(printed).toBe('');
  expect(err).toMatch(/writing image sha256:[0-9a-f]{64}/);
});

test('facts about the build', async () => {
  const file = join(out, 'metadata.json');
  await a3sOk(['build', '-q', '-t', 'build-out:1', '--metadata-file', file, context]);
  const id = await a3sOk(['image', 'inspect', '-f', '{{.Id}}', 'build-out:1']);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    'containerimage.config.digest': id,
    'containerimage.digest': expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    'image.name': 'docker.io/library/build-out:1',
  });
});

test.each([
  ['-o PATH', (to: string) => ['-o', to]],
  ['type=local', (to: string) => ['--output', `type=local,dest=${to}`]],
])('files in a directory: %s', async (name, flags) => {
  const to = join(out, name.replaceAll(/\W/g, ''));
  await a3sOk(['build', ...flags(to), context]);
  expect(Object.fromEntries(describeTree(to))).toEqual(TREE);
});

test('files in a tar, in a file and on stdout', async () => {
  const file = join(out, 'files.tar');
  await a3sOk(['build', '-o', `type=tar,dest=${file}`, context]);
  const listed = execFileSync('tar', ['-tf', file]).toString().split('\n').toSorted();
  expect(listed.filter((name) => name !== '')).toEqual(['c', 'f', 'l']);
  const { status, stdout } = await a3s(['build', '-o', '-', context]);
  expect(status).toBe(0);
  expect(stdout.equals(readFileSync(file))).toBe(true);
});

test.each(['oci', 'docker'])('an archive that skopeo reads: %s', async (type) => {
  const file = join(out, `${type}.tar`);
  await a3sOk(['build', '-t', 'build-out:arch', '-o', `type=${type},dest=${file}`, context]);
  const form = type === 'oci' ? 'oci-archive' : 'docker-archive';
  const inspected: unknown = JSON.parse(
    execFileSync('skopeo', ['inspect', '--config', `${form}:${file}`]).toString(),
  );
  expect(inspected).toMatchObject({ config: { Cmd: ['/f'] }, rootfs: { type: 'layers' } });
  expect((await a3s(['image', 'inspect', 'build-out:arch'])).status).toBe(1);
  await a3sOk(['load', '-q', '-i', file]);
  expect(await a3sOk(['image', 'inspect', '-f', '{{json .Config.Cmd}}', 'build-out:arch'])).toBe('["/f"]');
  await a3sOk(['rmi', 'build-out:arch']);
});

test('the same digest on two machines, and at another time, with SOURCE_DATE_EPOCH', async () => {
  const epoch = { SOURCE_DATE_EPOCH: '1700000000' };
  const there = machine();
  const made = await a3sOk(['build', '-q', '--no-cache', context], { env: epoch });
  const other = makeContext({ c: { content: 'context\n', mtime: Date.now() / 1000 } }, FILE);
  expect(await there.ok(['build', '-q', other], { env: epoch })).toBe(made);
  expect(await there.ok(['build', '-q', '--no-cache', other], { env: epoch })).toBe(made);
  expect(await there.ok(['image', 'inspect', '-f', '{{.Created}}', made])).toBe('2023-11-14T22:13:20Z');
  await a3sOk(['rmi', made]);
  rmSync(other, { recursive: true });
});

test('nor does it matter what the cache has from builds without SOURCE_DATE_EPOCH', async () => {
  const plain = makeContext({ c: 'context\n' }, 'FROM scratch\nCOPY c /c\nWORKDIR /d\n');
  const epoch = { SOURCE_DATE_EPOCH: '1000000000' };
  const [here, there] = [machine(), machine()];
  await here.ok(['build', '-q', plain]);
  const made = await here.ok(['build', '-q', plain], { env: epoch });
  expect(made).toBe(await there.ok(['build', '-q', plain], { env: epoch }));
  rmSync(plain, { recursive: true });
});

test('to go to the root makes no layer and is no step', async () => {
  const plain = makeContext({ c: 'context\n' }, 'FROM scratch\nCOPY c /c\nWORKDIR /\nWORKDIR /d\n');
  const { err } = await a3s(['build', '-t', 'build-out:1', plain]);
  expect(err.match(/\[\d\/\d\] .*/g)).toEqual(['[1/3] COPY c /c', '[2/3] WORKDIR /d']);
  const layers: unknown = JSON.parse(
    await a3sOk(['image', 'inspect', '-f', '{{json .RootFS.Layers}}', 'build-out:1']),
  );
  expect(layers).toHaveLength(2);
  const history = await a3sOk(['history', '--format', '{{.CreatedBy}}', 'build-out:1']);
  expect(history.split('\n')).toEqual(['WORKDIR /d', 'WORKDIR /', 'COPY c /c # buildkit']);
  rmSync(plain, { recursive: true });
});

test('no lease outlives a build, and nothing of a killed one outlives the next', async () => {
  const plain = makeContext({ c: 'context\n' }, 'FROM scratch\nCOPY c /c\n');
  const here = machine();
  await here.ok(['build', '-q', plain]);
  expect(here.files('leases')).toEqual([]);
  // Of a process that has gone: there is no such number.
  const left = [
    join(here.images, 'ingest', 'spool-4999999-1-1'),
    join(here.home, 'builds', 'vm-4999999-1-1'),
  ];
  for (const directory of left) mkdirSync(directory, { recursive: true });
  await here.ok(['build', '-q', plain]);
  expect(left.filter(existsSync)).toEqual([]);
  rmSync(plain, { recursive: true });
});

test('the digest that is told is that of the image that has the name', async () => {
  const plain = makeContext({ c: 'context\n' }, 'FROM scratch\nCOPY c /c\n');
  const here = machine();
  await here.ok(['build', '-q', '-t', 'build-out:1', plain]);
  const file = join(out, 'again.json');
  const output = 'type=image,oci-mediatypes=false';
  await here.ok(['build', '-q', '-t', 'build-out:2', '-o', output, '--metadata-file', file, plain]);
  const told: unknown = JSON.parse(readFileSync(file, 'utf8'));
  expect(told).toMatchObject({ 'image.name': 'docker.io/library/build-out:2' });
  const digests = new Set(here.index().match(/sha256:[0-9a-f]{64}/g));
  expect(told).toMatchObject({
    'containerimage.digest': expect.toSatisfy((one: string) => digests.has(one)),
  });
  rmSync(plain, { recursive: true });
});

test('a build that fails leaves no ID of an earlier one', async () => {
  const iid = join(out, 'stale');
  writeFileSync(iid, 'sha256:old');
  const bad = makeContext({}, 'FROM scratch\nCOPY nothing /\n');
  expect((await a3s(['build', '--iidfile', iid, bad])).status).toBe(1);
  expect(existsSync(iid)).toBe(false);
  rmSync(bad, { recursive: true });
});

test.each(['--iidfile', '--metadata-file'])(
  'a file that cannot be written is told before the work is done: %s',
  async (flag) => {
    const file = join(out, 'none', 'file');
    const { status, err } = await a3s(['build', flag, file, context]);
    expect({ status, err }).toEqual({
      status: 1,
      err: `ERROR: open ${file}: no such file or directory\n`,
    });
  },
);

test('an archive that cannot be written is told in one line', async () => {
  const file = join(out, 'none', 'file');
  const plain = makeContext({ c: '' }, 'FROM scratch\nCOPY c /c\n');
  const { status, err } = await a3s(['build', '-o', `type=tar,dest=${file}`, plain]);
  expect(status).toBe(1);
  expect(err.trim().split('\n').at(-1)).toMatch(`open ${file}: no such file or directory`);
  rmSync(plain, { recursive: true });
});

test('a build is done although the cache cannot be made smaller', async () => {
  const plain = makeContext({ c: '' }, 'FROM scratch\nCOPY c /c\n');
  const here = machine();
  await here.ok(['build', '-q', plain]);
  const trimmed = join(here.home, 'build-cache/trimmed');
  rmSync(trimmed);
  mkdirSync(trimmed);
  utimesSync(trimmed, 0, 0);
  const { status, out: printed, err } = await here.a3s(['build', '-q', plain]);
  expect({ status, printed }).toEqual({ status: 0, printed: expect.stringMatching(/^sha256:/) });
  expect(err).toMatch(/^WARNING: the build cache could not be made smaller: /);
  rmSync(plain, { recursive: true });
});

test('an image for another platform than a stage asks for is not taken', async () => {
  const name = '127.0.0.1:1/build-out:host';
  const plain = makeContext({ c: '' }, 'FROM scratch\nCOPY c /c\n');
  await a3sOk(['build', '-q', '-t', name, plain]);
  const other = makeContext({}, `FROM --platform=linux/s390x ${name}\n`);
  const { status, err } = await a3s(['build', other]);
  expect(status).toBe(1);
  expect(err).toMatch(`failed to resolve source metadata for ${name}: `);
  await a3sOk(['rmi', name]);
  for (const each of [plain, other]) rmSync(each, { recursive: true });
});

test('a built image is pushed, pulled elsewhere and run there', async () => {
  const name = `${registry.domain}/built/it:1`;
  const runs = makeContext({}, 'FROM a3s/base\nRUN echo from the build >/f\nCMD cat /f\n');
  await a3sOk(['build', '-q', '-t', name, runs]);
  await a3sOk(['push', '-q', name]);
  await a3sOk(['rmi', name]);
  await a3sOk(['pull', '-q', name]);
  expect(await a3sOk(['run', '--rm', name])).toBe('from the build');
  await a3sOk(['rmi', name]);
  await a3sOk(['build', '-q', '-t', name, '--push', runs]);
  const there = machine();
  expect(await there.ok(['pull', '-q', name])).toBe(name);
  expect(await there.ok(['run', '--rm', name])).toBe('from the build');
  await a3sOk(['rmi', '-f', name]);
  rmSync(runs, { recursive: true });
});

test('what cannot be written is told before the work is done', async () => {
  const { status, err } = await a3s(['build', '-o', 'type=nosuch', context]);
  expect(err).toMatch(/nosuch/);
  expect(status).not.toBe(0);
  expect(existsSync(join(out, 'nosuch'))).toBe(false);
});
