/** Images pulled from a registry. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { MediaType } from '../../src/images/manifest.ts';
import { startRegistry, type TestRegistry } from '../fixture/registry/docker-registry.ts';
import { startTokenRegistry } from '../fixture/registry/token-registry.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { machine, machineOfFile, seen } from './fixture/machine.ts';
import {
  files,
  publish,
  publishIndex,
  type Published,
  type RemoteImage,
  sha256,
} from './fixture/remote-images.ts';

let registry: TestRegistry;
/** Of that registry, as users write it. */
let repository: string;
let image: Published;

const GREETING: RemoteImage = { layers: [{ tar: files({ greeting: 'hello' }) }] };

beforeAll(async () => {
  registry = await startRegistry();
  repository = `${registry.domain}/t/x`;
  image = await publish(registry.domain, 't/x', '1', GREETING);
});
afterAll(() => registry.close());

const short = (digest = ''): string => digest.slice('sha256:'.length, 'sha256:'.length + 12);

test("a pull says in docker's words what came from where; the next one that it is there", async () => {
  const here = machine();
  const name = `${repository}:1`;
  const layer = short(image.layers[0]);
  expect(seen(await here.a3s(['pull', name]))).toEqual({
    status: 0,
    out:
      `1: Pulling from t/x\n${layer}: Pulling fs layer\n${layer}: Download complete\n${layer}: Extracting\n` +
      `${layer}: Pull complete\nDigest: ${image.digest}\nStatus: Downloaded newer image for ${name}\n${name}\n`,
    err: '',
  });
  expect(seen(await here.a3s(['pull', name]))).toEqual({
    status: 0,
    out: `1: Pulling from t/x\nDigest: ${image.digest}\nStatus: Image is up to date for ${name}\n${name}\n`,
    err: '',
  });
  expect(seen(await here.a3s(['pull', '-q', name]))).toEqual({ status: 0, out: `${name}\n`, err: '' });
});

test('without a tag it is the tag latest', async () => {
  await publish(registry.domain, 't/latest', 'latest', GREETING);
  const name = `${registry.domain}/t/latest`;
  const here = machine();
  const { status, out, err } = await here.a3s(['pull', name]);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out).toMatch(/^Using default tag: latest\nlatest: Pulling from t\/latest\n/);
  expect(out).toMatch(new RegExp(`\nStatus: Downloaded newer image for ${name}:latest\n${name}:latest\n$`));
});

test('by digest it has no tag, whether or not one stands beside the digest', async () => {
  const here = machine();
  const name = `${repository}@${image.digest}`;
  const { status, out, err } = await here.a3s(['pull', name]);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out.split('\n')[0]).toBe(`${name}: Pulling from t/x`);
  expect(out).toMatch(new RegExp(`\nStatus: Downloaded newer image for ${name}\n${name}\n$`));
  const tagged = `${repository}:other@${image.digest}`;
  expect(seen(await here.a3s(['pull', tagged]))).toEqual({
    status: 0,
    out: `${name}: Pulling from t/x\nDigest: ${image.digest}\nStatus: Image is up to date for ${name}\n${tagged}\n`,
    err: '',
  });
  expect((await here.digests()).split('\n')).toContain(
    `${repository}:<none> ${image.digest} ${short(image.id)}`,
  );
  expect(await here.ok(['image', 'inspect', '-f', '{{.RepoTags}} {{.RepoDigests}}', name])).toBe(
    `[] [${name}]`,
  );
});

test('a tag that the store has already under its digest is up to date only once it is named', async () => {
  const here = machine();
  await here.ok(['pull', '-q', `${repository}@${image.digest}`]);
  expect(await here.ok(['pull', `${repository}:1`])).toContain('Status: Downloaded newer image for');
  expect(await here.ok(['pull', `${repository}:1`])).toContain('Status: Image is up to date for');
});

test('-a brings every tag', async () => {
  const all = `${registry.domain}/t/all`;
  const one = await publish(registry.domain, 't/all', 'a', GREETING);
  const two = await publish(registry.domain, 't/all', 'b', { layers: [{ tar: files({ b: 'b' }) }] });
  const here = machine();
  const { status, out, err } = await here.a3s(['pull', '-a', all]);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  const lines = out.split('\n').filter((line) => !/^[0-9a-f]{12}: /.test(line));
  // In the registry's order.
  expect(lines.slice(0, 4).toSorted()).toEqual(
    [
      'a: Pulling from t/all',
      'b: Pulling from t/all',
      `Digest: ${one.digest}`,
      `Digest: ${two.digest}`,
    ].toSorted(),
  );
  expect(lines.slice(4)).toEqual([`Status: Downloaded newer image for ${all}`, all, '']);
  expect(await here.ok(['pull', '-a', '-q', all])).toBe(all);
  expect(seen(await here.a3s(['pull', '-a', `${all}:a`]))).toEqual({
    status: 1,
    out: '',
    err: "tag can't be used with --all-tags/-a\n",
  });
});

describe.each([
  ['OCI', false, MediaType.ociIndex],
  ['Docker', true, MediaType.dockerList],
])('an index of %s media types', (kind, docker, type) => {
  const path = `t/platforms-${kind.toLowerCase()}`;
  let index: { digest: string };
  let images: Record<string, Published>;
  beforeAll(async () => {
    const made = (architecture: string, variant?: string): Promise<Published> =>
      publish(registry.domain, path, `${architecture}${variant ?? ''}`, {
        layers: [{ tar: files({ [`for-${architecture}`]: variant ?? '' }) }],
        architecture,
        docker,
        ...(variant === undefined ? {} : { variant }),
      });
    images = { amd64: await made('amd64'), v6: await made('arm', 'v6'), v7: await made('arm', 'v7') };
    const { amd64, v6, v7 } = images;
    if (amd64 === undefined || v6 === undefined || v7 === undefined) throw new Error('not published');
    index = await publishIndex(
      registry.domain,
      path,
      '1',
      [
        { image: v6, platform: { os: 'linux', architecture: 'arm', variant: 'v6' } },
        { image: v7, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
        { image: amd64, platform: { os: 'linux', architecture: 'amd64' } },
      ],
      type,
    );
  });

  test.each([
    [[], 'amd64'],
    [['--platform', 'linux/amd64'], 'amd64'],
    [['--platform', 'linux/arm/v7'], 'v7'],
    [['--platform', 'linux/arm/v6'], 'v6'],
  ])('%j brings the image for the platform, under the digest of the index', async (flags, key) => {
    const here = machine();
    const name = `${registry.domain}/${path}:1`;
    const out = await here.ok(['pull', ...flags, name]);
    expect(out).toContain(`\nDigest: ${index.digest}\n`);
    const shown = await here.ok(['image', 'inspect', '-f', '{{.Id}} {{.RepoDigests}}', name]);
    expect(shown).toBe(`${images[key]?.id} [${registry.domain}/${path}@${index.digest}]`);
    expect(await here.ok(['pull', ...flags, name])).toContain('Image is up to date');
  });

  test('refuses a platform that it lacks', async () => {
    const here = machine();
    const name = `${registry.domain}/${path}:1`;
    expect(seen(await here.a3s(['pull', '--platform', 'linux/s390x', name]))).toEqual({
      status: 1,
      out: `1: Pulling from ${path}\n`,
      err:
        'Error response from daemon: no matching manifest for linux/s390x in the manifest list entries\n' +
        `Hint: ${name} is there for: linux/arm/v6, linux/arm/v7, linux/amd64\n`,
    });
    expect(here.index()).toBe('');
  });
});

test('an image without an index for another platform is refused when a platform is asked for', async () => {
  const name = `${repository}:1`;
  expect(seen(await machine().a3s(['pull', '--platform', 'linux/arm64', name]))).toEqual({
    status: 1,
    out: '1: Pulling from t/x\n',
    err:
      `Error response from daemon: image with reference ${name} was found but does not provide the specified ` +
      'platform (linux/arm64)\nHint: it is there for linux/amd64\n',
  });
});

const one = files({ one: 'one' });
const two = files({ two: 'two' });
test.each<[string, RemoteImage, number, number]>([
  [
    'plain, gzip and zstd layers',
    {
      layers: [
        { tar: one, form: 'plain' },
        { tar: two },
        { tar: GREETING.layers[0]?.tar ?? one, form: 'zstd' },
      ],
    },
    3,
    11,
  ],
  ['Docker media types', { layers: [{ tar: one }], docker: true }, 1, 3],
  ['a layer that is there twice', { layers: [{ tar: one }, { tar: two }, { tar: one }] }, 2, 9],
  ['a layer without a file', { layers: [{ tar: files({}) }, { tar: one }] }, 2, 3],
])(
  'an image of %s: every blob is fetched once, and skopeo reads the store of OCI ones',
  async (label, made, distinct, size) => {
    const path = `t/${label.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`;
    const published = await publish(registry.domain, path, '1', made);
    const name = `${registry.domain}/${path}:1`;
    const here = machine();
    const out = await here.ok(['pull', name]);
    expect(out.match(/: Download complete\n/g)).toHaveLength(distinct);
    expect(here.blobs()).toEqual(
      [...new Set([published.digest, published.id, ...published.layers])].toSorted(),
    );
    expect(await here.ok(['image', 'inspect', '-f', '{{.Id}} {{.Size}} {{len .RootFS.Layers}}', name])).toBe(
      `${published.id} ${size} ${made.layers.length}`,
    );
    // skopeo passes over what an OCI layout holds in Docker's media types.
    if (made.docker === true) return;
    const inspected = execFileSync('skopeo', ['inspect', '--raw', `oci:${here.images}:1`]);
    expect(sha256(inspected)).toBe(published.digest);
  },
);

test('a tag that has moved leaves a dangling image, which image prune removes', async () => {
  const path = 't/moving';
  const name = `${registry.domain}/${path}:1`;
  const old = await publish(registry.domain, path, '1', GREETING);
  const here = machine();
  await here.ok(['pull', '-q', name]);
  const fresh = await publish(registry.domain, path, '1', { layers: [{ tar: one }] });
  expect(await here.ok(['pull', name])).toContain(`Status: Downloaded newer image for ${name}\n`);
  const dangling = ['images', '-f', 'dangling=true', '--format', '{{.Repository}} {{.Tag}} {{.ID}}'];
  expect(await here.ok(dangling)).toBe(`${registry.domain}/${path} <none> ${short(old.id)}`);
  expect(await here.ok(['images', '-q', name])).toBe(short(fresh.id));
  const { status, out, err } = await here.a3s(['image', 'prune', '-f']);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  expect(out).toMatch(
    new RegExp(
      `^Deleted Images:\nuntagged: ${registry.domain}/${path}@${old.digest}\ndeleted: ${old.id}\n\n` +
        'Total reclaimed space: [1-9][\\d.]*kB\n$',
    ),
  );
  expect(await here.ok(dangling)).toBe('');
  expect(here.blobs()).toEqual(expect.arrayContaining([fresh.digest, fresh.id, ...fresh.layers]));
  expect(here.blobs()).not.toEqual(expect.arrayContaining([old.digest]));
  expect(seen(await here.a3s(['image', 'prune', '-f']))).toEqual({
    status: 0,
    out: 'Total reclaimed space: 0B\n',
    err: '',
  });
});

describe('a registry that wants to know who asks', () => {
  const config = machineOfFile();

  test('with passwords over TLS: refused before login, served after it', async () => {
    const secure = await startRegistry({ tls: true, users: { ann: 'secret' } });
    try {
      const env = { SSL_CERT_FILE: secure.ca, DOCKER_CONFIG: config.home };
      const name = `${secure.domain}/t/private:1`;
      const here = machine();
      await here.ok(['tag', 'a3s/base', name]);
      expect(seen(await here.a3s(['pull', name], { env }))).toEqual({
        status: 1,
        out: '',
        err:
          `Error response from daemon: pull access denied for ${secure.domain}/t/private, repository does not exist ` +
          "or may require 'docker login': unauthorized: authentication required\n" +
          `Hint: log in with \`a3s-box login ${secure.domain}\`\n`,
      });
      expect((await here.a3s(['push', name], { env })).status).toBe(1);
      await here.ok(['login', '-u', 'ann', '--password-stdin', secure.domain], { env, stdin: 'secret' });
      const pushed = await here.ok(['push', name], { env });
      const digest = /^1: digest: (sha256:[0-9a-f]{64}) size: \d+$/m.exec(pushed)?.[1];
      expect(await machine().ok(['pull', name], { env })).toContain(`\nDigest: ${digest}\n`);
    } finally {
      await secure.close();
    }
  });

  test('with tokens: anybody pulls, who is known pushes, a token that has ended is replaced', async () => {
    const tokens = await startTokenRegistry({ ann: 'secret' });
    try {
      const env = { DOCKER_CONFIG: machine().home };
      const name = `${tokens.domain}/t/tokens:1`;
      const here = machine();
      await here.ok(['tag', 'a3s/base', name]);
      const { status, err } = await here.a3s(['push', name], { env });
      expect(status).toBe(1);
      expect(err).toMatch(
        /^Error response from daemon: push access denied for 127\.0\.0\.1:\d+\/t\/tokens: [^\n]+\nHint: [^\n]+\n$/,
      );
      await here.ok(['login', '-u', 'ann', '--password-stdin', tokens.domain], { env, stdin: 'secret' });
      await here.ok(['push', name], { env });
      tokens.giveExpired(1);
      expect(await machine().ok(['pull', name])).toContain(`Status: Downloaded newer image for ${name}\n`);
    } finally {
      await tokens.close();
    }
  });
});

describe('what cannot be pulled is refused in one line', () => {
  test.each([
    ['', 'invalid reference format\n'],
    ['Upper', 'invalid reference format: repository name (library/Upper) must be lowercase\n'],
    ['x@sha256:12', 'invalid reference format\n'],
    ['x:', 'invalid reference format\n'],
    ['a b', 'invalid reference format\n'],
  ])('%j', async (name, err) => {
    expect(seen(await machine().a3s(['pull', name]))).toEqual({ status: 1, out: '', err });
  });

  test('a platform that is none', async () => {
    expect(seen(await machine().a3s(['pull', '--platform', 'a/b/c/d', 'x']))).toEqual({
      status: 1,
      out: '',
      err:
        '"a/b/c/d": unknown operating system or architecture: invalid argument\n' +
        'Hint: write os/architecture, for example linux/amd64\n',
    });
  });

  test('what the registry does not have', async () => {
    const refusals = [
      [
        ['pull', `${repository}:2`],
        `manifest for ${repository}:2 not found: manifest unknown: manifest unknown`,
      ],
      [
        ['pull', `${registry.domain}/t/nope:1`],
        `manifest for ${registry.domain}/t/nope:1 not found: manifest unknown: manifest unknown`,
      ],
      [
        ['pull', '-a', `${registry.domain}/t/nope`],
        `repository ${registry.domain}/t/nope not found: name unknown: repository name not known to registry`,
      ],
    ] as const;
    for (const [words, message] of refusals) {
      expect(seen(await machine().a3s(words))).toEqual({
        status: 1,
        out: '',
        err: `Error response from daemon: ${message}\n`,
      });
    }
  });
});

describe('run pulls what is missing', () => {
  const name = (): string => `${repository}:runs`;
  let base: string;
  beforeAll(async () => {
    base = await a3sOk(['image', 'inspect', '-f', '{{.Id}}', 'a3s/base']);
    await a3sOk(['tag', 'a3s/base', name()]);
    await a3sOk(['push', '-q', name()]);
    await a3sOk(['rmi', name()]);
  });
  afterAll(async () => {
    await a3s(['rmi', '-f', name()]);
  });

  test('and tells so on stderr; -q does not', async () => {
    const digest = /sha256:[0-9a-f]{64}/.exec(await a3sOk(['pull', name()]))?.[0];
    await a3sOk(['rmi', name()]);
    expect(seen(await a3s(['run', '--rm', name(), 'echo', 'hi']))).toEqual({
      status: 0,
      out: 'hi\n',
      err:
        `Unable to find image '${name()}' locally\nruns: Pulling from t/x\nDigest: ${digest}\n` +
        `Status: Downloaded newer image for ${name()}\n`,
    });
    await a3sOk(['rmi', name()]);
    expect(seen(await a3s(['run', '--rm', '-q', name(), 'echo', 'hi']))).toEqual({
      status: 0,
      out: 'hi\n',
      err: '',
    });
    expect(await a3sOk(['image', 'inspect', '-f', '{{.Id}}', name()])).toBe(base);
  });

  test('always asks the registry first, never does not ask', async () => {
    const { status, out, err } = await a3s(['run', '--rm', '--pull', 'always', name(), 'echo', 'hi']);
    expect({ status, out }).toEqual({ status: 0, out: 'hi\n' });
    expect(err).toMatch(
      /^runs: Pulling from t\/x\nDigest: sha256:[0-9a-f]{64}\nStatus: Image is up to date for [^\n]+\n$/,
    );
    expect(seen(await a3s(['run', '--rm', '--pull', 'never', `${repository}:nope`, 'true']))).toMatchObject({
      status: 125,
      out: '',
      err: expect.stringMatching(/^a3s-box: Error response from daemon: No such image: [^\n]+\/t\/x:nope\n/),
    });
  });

  test('what no registry has ends it with 125', async () => {
    expect(seen(await a3s(['run', '--rm', `${repository}:nope`, 'true']))).toEqual({
      status: 125,
      out: '',
      err:
        `Unable to find image '${repository}:nope' locally\n` +
        `a3s-box: Error response from daemon: manifest for ${repository}:nope not found: manifest unknown: ` +
        "manifest unknown\n\nRun 'a3s-box run --help' for more information\n",
    });
  });
});
