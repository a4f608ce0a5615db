/** Names of images: given, listed, taken away; and what goes with the last one. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { startRegistry, type TestRegistry } from '../fixture/registry/docker-registry.ts';
import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { type Machine, machine, seen } from './fixture/machine.ts';
import { files, publish, type Published } from './fixture/remote-images.ts';

const ONE = files({ one: 'one' });
const TWO = files({ two: 'two' });
let registry: TestRegistry;
let one: Published;
let both: Published;

beforeAll(async () => {
  registry = await startRegistry();
  one = await publish(registry.domain, 't/one', '1', { layers: [{ tar: ONE }] });
  both = await publish(registry.domain, 't/both', '1', { layers: [{ tar: ONE }, { tar: TWO }] });
  // The folders that only pulls need are made before the footprint is taken.
  await a3sOk(['pull', '-q', nameOf('one')]);
  await a3sOk(['rmi', nameOf('one')]);
});
const boxes = boxesOf('names');
afterAll(() => registry.close());

const short = (digest: string): string => digest.slice('sha256:'.length, 'sha256:'.length + 12);
const nameOf = (path: string): string => `${registry.domain}/t/${path}:1`;
const originOf = (path: string, { digest }: Published): string => `${registry.domain}/t/${path}@${digest}`;

async function withOne(): Promise<Machine> {
  const here = machine();
  await here.ok(['pull', '-q', nameOf('one')]);
  return here;
}

describe('rmi', () => {
  test("takes the last name and all that only it kept, in docker's order and words", async () => {
    const here = await withOne();
    const layers = await here.ok(['image', 'inspect', '-f', '{{join .RootFS.Layers " "}}', nameOf('one')]);
    expect(seen(await here.a3s(['rmi', nameOf('one')]))).toEqual({
      status: 0,
      out:
        `Untagged: ${nameOf('one')}\nUntagged: ${originOf('one', one)}\n` +
        `Deleted: ${one.id}\nDeleted: ${layers}\n`,
      err: '',
    });
    expect(here.blobs()).toEqual([]);
    expect(here.files('rootfs')).toEqual([]);
    expect(here.files('ingest')).toEqual([]);
    expect(here.files('leases')).toEqual([]);
  });

  test('takes one of several names alone, and leaves layers that another image has', async () => {
    const here = await withOne();
    await here.ok(['pull', '-q', nameOf('both')]);
    await here.ok(['tag', nameOf('one'), 'second']);
    expect(await here.ok(['rmi', 'second'])).toBe('Untagged: second:latest');
    const out = await here.ok(['rmi', nameOf('both')]);
    expect(out.split('\n')).toEqual([
      `Untagged: ${nameOf('both')}`,
      `Untagged: ${originOf('both', both)}`,
      `Deleted: ${both.id}`,
      // A chain ID: the layer as it lies upon the other.
      expect.stringMatching(/^Deleted: sha256:[0-9a-f]{64}$/),
    ]);
    expect(here.blobs()).toEqual([one.digest, one.id, ...one.layers].toSorted());
  });

  test("takes a repository's digest with its last tag there, whichever way it came", async () => {
    const here = machine();
    const name = `${registry.domain}/t/pushed`;
    await here.ok(['tag', 'a3s/base', `${name}:1`]);
    await here.ok(['tag', 'a3s/base', `${name}:2`]);
    const digest = /sha256:\w{64}/.exec(await here.ok(['push', `${name}:1`]))?.[0];
    expect(await here.ok(['rmi', `${name}:1`])).toBe(`Untagged: ${name}:1`);
    expect(await here.ok(['rmi', `${name}:2`])).toBe(`Untagged: ${name}:2\nUntagged: ${name}@${digest}`);
    expect(await here.ok(['image', 'inspect', '-f', '{{.RepoTags}} {{.RepoDigests}}', 'a3s/base'])).toBe(
      '[a3s/base:latest] []',
    );
  });

  test('takes a digest and leaves the tag', async () => {
    const here = await withOne();
    const origin = originOf('one', one);
    expect(await here.ok(['rmi', origin])).toBe(`Untagged: ${origin}`);
    expect(await here.ok(['images', '-q', nameOf('one')])).toBe(short(one.id));
    const only = machine();
    await only.ok(['pull', '-q', origin]);
    const out = await only.ok(['rmi', origin]);
    expect(out).toMatch(new RegExp(`^Untagged: ${origin}\nDeleted: ${one.id}\nDeleted: sha256:\\w{64}$`));
    expect(only.blobs()).toEqual([]);
  });

  test.each([
    ['a whole ID', (id: string) => id],
    ['an ID without its algorithm', (id: string) => id.replace('sha256:', '')],
    ['a short ID', short],
  ])('by %s takes all names in one repository; of several it wants force', async (_, form) => {
    const here = await withOne();
    await here.ok(['tag', nameOf('one'), `${registry.domain}/t/one:2`]);
    await here.ok(['tag', nameOf('one'), 'elsewhere']);
    expect(seen(await here.a3s(['rmi', form(one.id)]))).toEqual({
      status: 1,
      out: '',
      err:
        `Error response from daemon: conflict: unable to delete ${short(one.id)} (must be forced) - image is referenced ` +
        'in multiple repositories\n',
    });
    await here.ok(['rmi', 'elsewhere']);
    const removed = await here.ok(['rmi', form(one.id)]);
    expect(removed.split('\n').slice(0, 4)).toEqual([
      `Untagged: ${nameOf('one')}`,
      `Untagged: ${registry.domain}/t/one:2`,
      `Untagged: ${originOf('one', one)}`,
      `Deleted: ${one.id}`,
    ]);
  });

  test('forced by ID takes the names in all repositories', async () => {
    const here = await withOne();
    await here.ok(['tag', nameOf('one'), 'elsewhere']);
    expect((await here.ok(['rmi', '-f', short(one.id)])).split('\n').slice(0, 4)).toEqual([
      `Untagged: ${nameOf('one')}`,
      'Untagged: elsewhere:latest',
      `Untagged: ${originOf('one', one)}`,
      `Deleted: ${one.id}`,
    ]);
    expect(here.blobs()).not.toContain(one.layers[0]);
  });

  test.each([
    ['configuration', () => one.id],
    ['manifest', () => one.digest],
  ])('takes a damaged image as well: its %s is gone', async (_, digest) => {
    const here = await withOne();
    rmSync(join(here.images, 'blobs', ...digest().split(':')));
    const listed = await here.a3s(['images']);
    expect(seen(listed)).toEqual({
      status: 0,
      out: expect.stringMatching(/^REPOSITORY .*\na3s\/base .*\n$/),
      err:
        `WARNING: ${nameOf('one')}: the image is damaged: blob ${digest()} is missing; ` +
        `remove it: a3s-box rmi ${nameOf('one')}, and get it again\n`,
    });
    const out = await here.ok(['rmi', nameOf('one')]);
    expect(out.split('\n').slice(0, 2)).toEqual([
      `Untagged: ${nameOf('one')}`,
      `Untagged: ${originOf('one', one)}`,
    ]);
    expect(here.files('blobs', 'sha256')).not.toContain(one.layers[0]?.slice('sha256:'.length));
    await here.ok(['pull', '-q', nameOf('one')]);
    expect(await here.ok(['images', '-q', nameOf('one')])).toBe(short(one.id));
  });

  test('goes on after one of several that fails', async () => {
    const here = await withOne();
    await here.ok(['tag', nameOf('one'), 'xx:1']);
    const { status, out, err } = await here.a3s(['rmi', 'nosuch:1', 'xx:1']);
    expect({ status, out }).toEqual({ status: 1, out: 'Untagged: xx:1\n' });
    expect(err).toMatch(/^Error response from daemon: No such image: nosuch:1\n/);
    expect((await here.a3s(['rmi', '-f', 'nosuch:1'])).status).toBe(0);
  });

  test('of an image that a box uses: refused, by name unless forced, by ID as long as it runs', async () => {
    await a3sOk(['pull', '-q', nameOf('one')]);
    await a3sOk(['tag', nameOf('one'), 'spare:1']);
    onTestFinished(async () => void (await a3s(['rmi', '-f', short(one.id)])));
    const stopped = boxes.name('stopped');
    await a3sOk(['create', '--name', stopped, nameOf('one'), '/one']);
    const box = await a3sOk(['ps', '-aq', '--filter', `name=${stopped}`]);
    // Another name is left: nothing is lost.
    expect(await a3sOk(['rmi', 'spare:1'])).toBe('Untagged: spare:1');
    expect(seen(await a3s(['rmi', nameOf('one')]))).toEqual({
      status: 1,
      out: '',
      err:
        `Error response from daemon: conflict: unable to remove repository reference "${nameOf('one')}" (must force) - ` +
        `container ${box} is using its referenced image ${short(one.id)}\n`,
    });
    expect(seen(await a3s(['rmi', short(one.id)]))).toEqual({
      status: 1,
      out: '',
      err:
        `Error response from daemon: conflict: unable to delete ${short(one.id)} (must be forced) - image is being used by ` +
        `stopped container ${box}\n`,
    });
    expect(await a3sOk(['rmi', '-f', nameOf('one')])).toBe(
      `Untagged: ${nameOf('one')}\nUntagged: ${originOf('one', one)}`,
    );
    await a3sOk(['rm', stopped]);
    expect(await a3sOk(['image', 'prune', '-f'])).toContain(`deleted: ${one.id}\n`);

    const running = await boxes.detached('running', ['a3s/base', 'sleep', '1000']);
    const runner = await a3sOk(['ps', '-q', '--filter', `name=${running}`]);
    const base = await a3sOk(['images', '-q', 'a3s/base']);
    expect(seen(await a3s(['rmi', '-f', base]))).toEqual({
      status: 1,
      out: '',
      err:
        `Error response from daemon: conflict: unable to delete ${base} (cannot be forced) - image is being used by ` +
        `running container ${runner}\n`,
    });
  });
});

describe('tag', () => {
  test('moves a name; who had it is dangling, as docker tells it', async () => {
    const here = await withOne();
    await here.ok(['pull', '-q', nameOf('both')]);
    expect(seen(await here.a3s(['tag', nameOf('both'), nameOf('one')]))).toEqual({
      status: 0,
      out: '',
      err: '',
    });
    expect(await here.ok(['images', '-q', nameOf('one')])).toBe(short(both.id));
    expect(await here.ok(['images', '-qf', 'dangling=true'])).toBe(short(one.id));
    expect(await here.ok(['tag', short(one.id), 'kept'])).toBe('');
    expect(await here.ok(['images', '-q', 'kept'])).toBe(short(one.id));
  });

  test.each([
    [['nosuch:1', 'y'], /^Error response from daemon: No such image: nosuch:1\n/],
    [
      ['a3s/base', ''],
      /^Error parsing reference: "" is not a valid repository\/tag: invalid reference format\n$/,
    ],
    [
      ['a3s/base', 'Upper'],
      /^Error parsing reference: "Upper" is not a valid repository\/tag: invalid reference format: repository name \(library\/Upper\) must be lowercase\n$/,
    ],
    [['a3s/base', `x@sha256:${'0'.repeat(64)}`], /^refusing to create a tag with a digest reference\n$/],
  ])('%j is refused in one line', async (words, line) => {
    const { status, out, err } = await machine().a3s(['tag', ...words]);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(line);
  });
});

describe('images', () => {
  test('shows every name with its digest, and the bytes of its files', async () => {
    const here = await withOne();
    await here.ok(['tag', nameOf('one'), 'second']);
    const format = '{{.Repository}}|{{.Tag}}|{{.Digest}}|{{.ID}}|{{.Size}}';
    const rows = (await here.ok(['images', '--format', format])).split('\n');
    expect(rows).toEqual([
      expect.stringMatching(/^a3s\/base\|latest\|<none>\|\w{12}\|[\d.]+MB$/),
      `${registry.domain}/t/one|1|${one.digest}|${short(one.id)}|3B`,
      `second|latest|<none>|${short(one.id)}|3B`,
    ]);
  });

  test.each([
    [['-f', 'nosuch=1'], "invalid filter 'nosuch'"],
    [['-f', 'dangling=perhaps'], "invalid filter 'dangling=[perhaps]'"],
  ])('%j is refused in one line', async (words, message) => {
    const expected = { status: 1, out: '', err: `Error response from daemon: ${message}\n` };
    expect(seen(await machine().a3s(['images', ...words]))).toEqual(expected);
    const prune = ['image', 'prune', '-f', '--filter', words[1] ?? ''];
    expect(seen(await machine().a3s(prune))).toEqual(expected);
  });
});

test('image prune -a takes what no box uses, and asks before', async () => {
  const here = await withOne();
  const declined = await here.a3s(['image', 'prune', '-a'], { stdin: 'n\n' });
  expect(seen(declined)).toEqual({
    status: 0,
    out:
      'WARNING! This will remove all images without at least one container associated to them.\n' +
      'Are you sure you want to continue? [y/N] ',
    err: '',
  });
  expect(here.blobs()).not.toEqual([]);
  const { status, out } = await here.a3s(['image', 'prune', '-a'], { stdin: 'y\n' });
  expect(status).toBe(0);
  expect(out).toMatch(
    new RegExp(
      `\\[y/N\\] Deleted Images:\nuntagged: ${nameOf('one')}\nuntagged: ${originOf('one', one)}\ndeleted: ${one.id}\n\n` +
        'Total reclaimed space: [\\d.]+kB\n$',
    ),
  );
});
