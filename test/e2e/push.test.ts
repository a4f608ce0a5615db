/** Images pushed to a registry, and what other tools make of them. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { startRegistry, type TestRegistry } from '../fixture/registry/docker-registry.ts';
import { startFaultProxy } from '../fixture/registry/fault-proxy.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { machine, seen } from './fixture/machine.ts';
import { files, publish } from './fixture/remote-images.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.close());

const short = (digest = ''): string => digest.slice('sha256:'.length, 'sha256:'.length + 12);
const skopeo = (...words: string[]): string => execFileSync('skopeo', words, { encoding: 'utf8' });
const [TLS, SOURCE_TLS, TARGET_TLS] = ['--tls', '--src-tls', '--dest-tls'].map(
  (flag) => `${flag}-verify=false`,
);

test('pull, run, push and pull elsewhere end with the same digest, and skopeo agrees', async () => {
  const made = await publish(registry.domain, 't/two-layers', '1', {
    layers: [{ tar: files({ one: 'one' }), form: 'zstd' }, { tar: files({ two: 'two' }) }],
  });
  const [source, target] = [`${registry.domain}/t/two-layers:1`, `${registry.domain}/u/copy:2`];
  const here = machine();
  await here.ok(['pull', source]);
  await here.ok(['tag', source, target]);
  const pushed = await here.a3s(['push', target]);
  expect(seen(pushed)).toMatchObject({ status: 0, err: '' });
  const lines = pushed.out.split('\n');
  expect(lines[0]).toBe(`The push refers to repository [${registry.domain}/u/copy]`);
  // Layers go side by side.
  expect(lines.slice(1, 5).toSorted()).toEqual(
    made.layers
      .flatMap((layer) => [`${short(layer)}: Mounted from t/two-layers`, `${short(layer)}: Preparing`])
      .toSorted(),
  );
  expect(lines.slice(5)).toEqual([`2: digest: ${made.digest} size: ${made.size}`, '']);
  const there = machine();
  expect(await there.ok(['pull', target])).toContain(`\nDigest: ${made.digest}\n`);
  expect(there.blobs()).toEqual([made.digest, made.id, ...made.layers].toSorted());
  const inspected: unknown = JSON.parse(skopeo('inspect', TLS ?? '', `docker://${target}`));
  expect(inspected).toMatchObject({ Digest: made.digest, Layers: made.layers, RepoTags: ['2'] });
});

test('skopeo takes an image out of the registry and puts it in: the digest stays, and it is pulled', async () => {
  const made = await publish(registry.domain, 't/travels', '1', { layers: [{ tar: files({ a: 'a' }) }] });
  const dir = machine();
  const layout = `oci:${join(dir.home, 'layout')}:x`;
  skopeo('copy', '-q', SOURCE_TLS ?? '', `docker://${registry.domain}/t/travels:1`, layout);
  skopeo('copy', '-q', TARGET_TLS ?? '', layout, `docker://${registry.domain}/u/travelled:1`);
  const here = machine();
  expect(await here.ok(['pull', `${registry.domain}/u/travelled:1`])).toContain(`\nDigest: ${made.digest}\n`);
  // The store itself is a layout as well.
  skopeo('copy', '-q', TARGET_TLS ?? '', `oci:${here.images}:1`, `docker://${registry.domain}/u/again:1`);
  expect(await machine().ok(['pull', `${registry.domain}/u/again:1`])).toContain(
    `\nDigest: ${made.digest}\n`,
  );
});

test('what is there already is not sent again; -q prints the reference alone; -a sends every tag', async () => {
  const here = machine();
  const repository = `${registry.domain}/t/base`;
  await here.ok(['tag', 'a3s/base', `${repository}:1`]);
  const first = await here.ok(['push', `${repository}:1`]);
  const [, layer, digest, size] =
    /\n([0-9a-f]{12}): Preparing\n[0-9a-f]{12}: Pushed\n1: digest: (sha256:[0-9a-f]{64}) size: (\d+)$/.exec(
      first,
    ) ?? [];
  expect(seen(await here.a3s(['push', `${repository}:1`]))).toEqual({
    status: 0,
    out:
      `The push refers to repository [${repository}]\n${layer}: Preparing\n${layer}: Layer already exists\n` +
      `1: digest: ${digest} size: ${size}\n`,
    err: '',
  });
  expect(seen(await here.a3s(['push', '-q', `${repository}:1`]))).toEqual({
    status: 0,
    out: `${repository}:1\n`,
    err: '',
  });
  await here.ok(['tag', 'a3s/base', `${repository}:2`]);
  const { status, out } = await here.a3s(['push', '-a', repository]);
  expect({ status, tags: out.match(/^\d: digest: /gm) }).toEqual({
    status: 0,
    tags: ['1: digest: ', '2: digest: '],
  });
  expect(JSON.parse(skopeo('list-tags', TLS ?? '', `docker://${repository}`))).toMatchObject({
    Tags: expect.toSatisfy((tags: string[]) => tags.toSorted().join() === '1,2'),
  });
});

test('without a tag it is the tag latest', async () => {
  const here = machine();
  const repository = `${registry.domain}/t/untagged`;
  await here.ok(['tag', 'a3s/base', repository]);
  expect(await here.ok(['push', repository])).toMatch(
    /^Using default tag: latest\nThe push refers to repository \[[^\n]+\/t\/untagged\]\n[^]*\nlatest: digest: sha256:\w{64} size: \d+$/,
  );
});

test('a pushed image runs where it is pulled', async () => {
  const name = `${registry.domain}/t/runs:1`;
  const here = machine();
  await here.ok(['tag', 'a3s/base', name]);
  await here.ok(['push', '-q', name]);
  await a3sOk(['pull', '-q', name]);
  onTestFinished(async () => void (await a3s(['rmi', '-f', name])));
  expect(seen(await a3s(['run', '--rm', '--pull', 'never', name, 'echo', 'pushed']))).toEqual({
    status: 0,
    out: 'pushed\n',
    err: '',
  });
});

describe('a push that is disturbed', () => {
  const disturbed = async () => {
    const proxy = await startFaultProxy(registry);
    onTestFinished(() => proxy.close());
    const here = machine();
    const name = `${proxy.domain}/t/${proxy.port}:1`;
    await here.ok(['tag', 'a3s/base', name]);
    return { proxy, here, name };
  };

  test.each([
    ['an upload that breaks', 'PATCH', { kind: 'break-upload', after: 100_000 }],
    ['a lost answer', 'PUT', { kind: 'lose-answer' }],
    ['a registry out of order', 'POST', { kind: 'status', status: 503 }],
  ] as const)('%s: it goes on', async (_, method, fault) => {
    const { proxy, here, name } = await disturbed();
    proxy.next(method, '/t/', fault);
    const { status, out, err } = await here.a3s(['push', name]);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/; retrying in \d+ seconds?\n/);
    const digest = /digest: (sha256:\w+)/.exec(out)?.[1];
    expect(await machine().ok(['pull', name])).toContain(`\nDigest: ${digest}\n`);
  });

  test('a registry that refuses: one line, and the store knows of no new place', async () => {
    const { proxy, here, name } = await disturbed();
    const before = here.index();
    const body = JSON.stringify({ errors: [{ code: 'DENIED', message: 'quota exceeded' }] });
    proxy.next('PUT', '/manifests/', { kind: 'status', status: 403, body });
    const { status, err } = await here.a3s(['push', name]);
    expect({ status, err }).toEqual({
      status: 1,
      err:
        `Error response from daemon: push access denied for ${name.slice(0, -2)}: denied: quota exceeded\n` +
        `Hint: log in with \`a3s-box login ${proxy.domain}\`\n`,
    });
    expect(here.index()).toBe(before);
  });
});

describe('what cannot be pushed is refused in one line', () => {
  test.each([
    ['', 'invalid reference format\n'],
    ['Upper', 'invalid reference format: repository name (library/Upper) must be lowercase\n'],
    [`x@sha256:${'0'.repeat(64)}`, 'cannot push a digest reference\n'],
  ])('%j', async (name, err) => {
    expect(seen(await machine().a3s(['push', name]))).toEqual({ status: 1, out: '', err });
  });

  test('a name that no image has', async () => {
    const repository = `${registry.domain}/t/unknown`;
    const refused = (words: string[], message: string) =>
      machine()
        .a3s(words)
        .then((outcome) =>
          expect(seen(outcome)).toEqual({
            status: 1,
            out: `The push refers to repository [${repository}]\n`,
            err: expect.stringMatching(
              new RegExp(`^Error response from daemon: ${message}\nHint: give an image that name: [^\n]+\n$`),
            ),
          }),
        );
    await refused(['push', `${repository}:1`], `tag does not exist: ${repository}:1`);
    await refused(['push', '-a', repository], `An image does not exist locally with the tag: ${repository}`);
  });
});
