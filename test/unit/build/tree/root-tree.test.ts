import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';

import { exportTree } from '../../../../src/build/tree/export.ts';
import { listing } from '../../../../src/build/tree/layer-listing.ts';
import type { RootTree } from '../../../../src/build/tree/root-tree.ts';
import { isDirectory, type Leaf, nodeAt } from '../../../../src/images/layers/tree.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { readTar } from '../../images/layers/fixture/store.ts';
import { type Member, tar } from '../../images/layers/fixture/tar.ts';
import { layerOf, lines, rootOf, shown, written } from '../transfer/fixture/transfer.ts';

async function exported(root: RootTree): Promise<string[]> {
  const bytes = await written({ write: (sink, options) => exportTree(root, sink, options) });
  return readTar(bytes).map((entry) => shown(entry).replace(' 1700000000', ''));
}

async function leafAt(root: RootTree, path: string): Promise<Leaf> {
  const node = nodeAt(await root.open(), path.split('/'));
  if (node === undefined || isDirectory(node)) throw new Error(`no file: ${path}`);
  return node;
}

/** Every kind of thing, and files of every kind of place in a squashfs: blocks, fragments, holes. */
const BIG = Buffer.concat(Array.from({ length: 12_000 }, (_, n) => Buffer.from(`line ${n * 7919}\n`)));
const EVERYTHING: Member[] = [
  { name: 'big', content: BIG },
  { name: 'blocks', content: BIG.subarray(0, 131_072) },
  { name: 'zeros', content: Buffer.alloc(300_000) },
  {
    name: 'holes',
    content: Buffer.concat([Buffer.alloc(262_144), BIG.subarray(0, 200_000), Buffer.alloc(131_072)]),
  },
  { name: 'random', content: createHash('sha512').update('x').digest() },
  {
    name: 'd/',
    type: '5',
    mode: 0o1777,
    uid: 70_000,
    gid: 4_000_000_000,
    pax: { uid: '70000', gid: '4000000000' },
  },
  { name: 'd/small', content: 'small', uid: 7, mode: 0o4755 },
  { name: 'd/link', type: '1', link: 'd/small', uid: 7, mode: 0o4755 },
  { name: 'd/s', type: '2', link: 'small' },
  { name: 'd/p', type: '6' },
  { name: 'd/c', type: '3', major: 1, minor: 300 },
  { name: 'd/b', type: '4', major: 259, minor: 70_000 },
  {
    name: 'caps',
    content: 'c',
    pax: { 'SCHILY.xattr.security.capability': Buffer.from([1, 0, 0, 2]), 'SCHILY.xattr.user.a': 'A' },
  },
  { name: 'x/', type: '5', pax: { 'SCHILY.xattr.user.a': 'A'.repeat(500) } },
  { name: 'y/', type: '5', pax: { 'SCHILY.xattr.user.a': 'A'.repeat(500) } },
  { name: 'empty' },
  { name: '\u00ff\u00fe' },
  ...Array.from({ length: 3000 }, (_, n) => ({ name: `many/${'n'.repeat(n % 60)}${n}`, content: String(n) })),
];

describe('the squashfs of a base', () => {
  test('is read as squashfs-tools-ng reads it', async () => {
    const archive = tar(...EVERYTHING);
    const file = join(temporaryDirectory(), 'squashfs');
    const options = ['--quiet', '--no-skip', '--compressor', 'lz4', '--defaults', 'mtime=0', file];
    execFileSync('tar2sqfs', options, { input: archive });
    const all = readTar(execFileSync('sqfs2tar', [file], { maxBuffer: 1 << 28 }));
    const targets = new Map(all.map((entry) => [entry.name, entry]));
    const plain = all.map((entry) => {
      const target = entry.type === 'hardlink' ? targets.get(entry.link) : entry;
      return { ...(target ?? entry), name: entry.name.replace(/\/$/, ''), sparse: null };
    });
    const root = rootOf(archive);
    const bytes = await written({ write: (sink, given) => exportTree(root, sink, given) });
    const own = readTar(bytes);
    const byName = new Map(own.map((entry) => [entry.name, entry]));
    const ours = own.map((entry) => {
      const target = entry.type === 'hardlink' ? byName.get(entry.link) : entry;
      return { ...(target ?? entry), name: entry.name.replace(/\/$/, '') };
    });
    const ordered = (entries: typeof ours): typeof ours =>
      entries
        .map((entry) => ({ ...entry, xattrs: entry.xattrs.toSorted(([a], [b]) => (a < b ? -1 : 1)) }))
        .toSorted((one, other) => (one.name < other.name ? -1 : 1));
    expect(ordered(ours)).toEqual(ordered(plain.map((entry) => ({ ...entry, size: entry.content.length }))));
  });

  test('loads a directory only when it is looked into', async () => {
    const root = rootOf(tar(...EVERYTHING));
    const top = await root.open();
    expect(top.children.size).toBe(12);
    expect((await leafAt(root, 'd/small')).entry.size).toBe(5);
  });

  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'it ends too early'],
    ['zeros', Buffer.alloc(5000), 'it is no squashfs'],
  ])('%s is refused', async (_what, bytes, reason) => {
    const { RootTree } = await import('../../../../src/build/tree/root-tree.ts');
    const path = join(temporaryDirectory(), 'base');
    writeFileSync(path, bytes);
    await expect(new RootTree({ name: 'r', rootfs: { path, digest: '' } }).open()).rejects.toMatchObject({
      code: 'image_broken',
      message: `cannot read the root filesystem ${path}: ${reason}`,
    });
  });

  test('whatever is damaged in it ends as an error that says so', async () => {
    const { RootTree } = await import('../../../../src/build/tree/root-tree.ts');
    const file = join(temporaryDirectory(), 'squashfs');
    const options = ['--quiet', '--no-skip', '--compressor', 'lz4', '--defaults', 'mtime=0', file];
    execFileSync('tar2sqfs', options, { input: tar(...EVERYTHING.slice(0, 60)) });
    const sound = execFileSync('cat', [file]);
    for (let n = 0; n < 150; n += 1) {
      const damaged = Buffer.from(sound);
      const at = n < 30 ? n * 3 : sound.length - 1 - ((n * 7919) % Math.min(sound.length, 6000));
      damaged[at] = (damaged[at] ?? 0) ^ (1 + ((n * 31) % 255));
      writeFileSync(file, damaged);
      const root = new RootTree({ name: 'r', rootfs: { path: file, digest: '' } });
      try {
        await written({ write: (sink, given) => exportTree(root, sink, given) });
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(?:image_broken|io)$/) });
      } finally {
        root.close();
      }
    }
  });
});

describe('layers on a base', () => {
  const BASE = tar(
    { name: 'a/', type: '5' },
    { name: 'a/one', content: '1' },
    { name: 'a/two', content: '2' },
    { name: 'b/', type: '5' },
    { name: 'b/deep/', type: '5' },
    { name: 'b/deep/three', content: '3' },
  );

  test('whiteouts, opaque directories, links and replaced files count', async () => {
    const root = rootOf(
      BASE,
      tar({ name: 'a/.wh.one' }, { name: 'a/two', content: 'II' }, { name: 'b/deep/.wh..wh..opq' }),
      tar({ name: 'b/deep/new', content: 'n' }, { name: 'b/deep/same', type: '1', link: 'b/deep/new' }),
    );
    expect(await exported(root)).toEqual([
      'a/ 755 0:0',
      'b/ 755 0:0',
      'b/deep/ 755 0:0',
      'a/two 644 0:0 "II"',
      'b/deep/new 644 0:0 "n"',
      'b/deep/same hardlink 644 0:0 b/deep/new',
    ]);
  });

  test('a tree with a layer more leaves the one below as it is', async () => {
    const below = rootOf(BASE, tar({ name: 'a/more', content: 'm' }));
    await below.open();
    const one = below.withLayer(layerOf(tar({ name: 'a/.wh.more' }, { name: 'a/one', content: 'I' })));
    const other = below.withLayer(layerOf(tar({ name: 'a/more', content: 'M' })));
    const content = async (root: RootTree): Promise<string[]> => {
      return (await exported(root)).filter((line) => line.startsWith('a/')).toSorted();
    };
    expect(await content(one)).toEqual(['a/ 755 0:0', 'a/one 644 0:0 "I"', 'a/two 644 0:0 "2"']);
    expect(await content(other)).toEqual([
      'a/ 755 0:0',
      'a/more 644 0:0 "M"',
      'a/one 644 0:0 "1"',
      'a/two 644 0:0 "2"',
    ]);
    expect(await content(below)).toEqual([
      'a/ 755 0:0',
      'a/more 644 0:0 "m"',
      'a/one 644 0:0 "1"',
      'a/two 644 0:0 "2"',
    ]);
  });

  test('digests are those of the contents, wherever they lie', async () => {
    const root = rootOf(BASE, tar({ name: 'a/layer', content: '1' }));
    const leaves = [await leafAt(root, 'a/one'), await leafAt(root, 'a/layer')];
    const digests = await root.digests(leaves);
    const expected = createHash('sha256').update('1').digest('hex');
    expect([...digests.values()]).toEqual([expected, expected]);
  });

  test('a layer that was listed while it was made is not read for its names', async () => {
    const archive = tar({ name: 'f', content: 'text' }, { name: 'd/', type: '5' });
    const { sink, listing: found } = listing('sha256:x');
    await pipeline([archive.subarray(0, 700), archive.subarray(700)], sink);
    expect(found.entries.map(({ name }) => name)).toEqual(['f', 'd/']);
    const root = rootOf(null).withLayer({
      diffId: 'sha256:x',
      listing: found,
      // oxlint-disable-next-line require-yield
      async *read() {
        throw new Error('it was read');
      },
    });
    expect((await leafAt(root, 'f')).entry.size).toBe(4);
  });

  test('identities are those of what is in it', () => {
    const layers = [tar({ name: 'f' }), tar({ name: 'g' })];
    const whole = rootOf(BASE, ...layers);
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = layers;
    expect(rootOf(BASE, first).withLayer(layerOf(second)).identity).toBe(whole.identity);
    expect(rootOf(BASE, first).identity).not.toBe(whole.identity);
  });
});

describe('COPY --from=', () => {
  const IMAGE = tar(
    { name: 'usr/bin/', type: '5', mode: 0o711, uid: 1 },
    {
      name: 'usr/bin/tool',
      content: 'tool',
      mode: 0o4755,
      uid: 5,
      gid: 6,
      mtime: 1_600_000_000,
      pax: { 'SCHILY.xattr.user.a': 'A' },
    },
    {
      name: 'usr/bin/same',
      type: '1',
      link: 'usr/bin/tool',
      mode: 0o4755,
      uid: 5,
      gid: 6,
      mtime: 1_600_000_000,
    },
    { name: 'bin', type: '2', link: 'usr/bin' },
    { name: 'abs', type: '2', link: '/bin/tool' },
  );

  test('owners, modes, times and hard links are those of the image', async () => {
    expect(await lines('COPY --from=x /bin /b', { source: rootOf(IMAGE) })).toEqual([
      'b/ 755 0:0 1700000000',
      'b/same 4755 5:6 source "tool"',
      'b/tool hardlink 4755 5:6 source b/same',
    ]);
    expect(await lines('COPY --from=x abs /t', { source: rootOf(IMAGE) })).toEqual([
      't 4755 5:6 source "tool"',
    ]);
  });

  test('attributes come along', async () => {
    const { layer } = await import('../transfer/fixture/transfer.ts');
    const [entry] = readTar(await layer('COPY --from=x /bin/tool /t', { source: rootOf(IMAGE) }));
    expect(entry?.xattrs).toEqual([['user.a', 'A']]);
  });

  test('files of several layers, some twice', async () => {
    const source = rootOf(
      IMAGE,
      tar({ name: 'z', content: 'Z' }, { name: 'y', content: 'Y' }),
      tar({ name: 'a', content: 'A' }),
    );
    const time = ' 644 0:0 1700000000';
    expect(await lines('COPY --from=x /z /y /a /one/', { source })).toEqual([
      'one/ 755 0:0 made',
      `one/z${time} "Z"`,
      `one/y${time} "Y"`,
      `one/a${time} "A"`,
    ]);
    expect(await lines('COPY --from=x /z /y /z /two/', { source })).toEqual([
      'two/ 755 0:0 made',
      `two/z${time} "Z"`,
      `two/y${time} "Y"`,
    ]);
  });

  test('a layer is read once for what is copied out of it, if its listing is known', async () => {
    const archive = tar(
      { name: 'big', content: 'x'.repeat(100_000) },
      { name: 'f', content: 'F' },
      { name: 'last', content: 'x' },
    );
    const whole = layerOf(archive);
    let reads = 0;
    const counted = {
      diffId: whole.diffId,
      read: () => {
        reads += 1;
        return whole.read();
      },
    };
    const unlisted = rootOf(null).withLayer(counted);
    const expected = ['f 644 0:0 1700000000 "F"'];
    expect(await lines('COPY --from=x /f /f', { source: unlisted })).toEqual(expected);
    expect(reads).toBe(2);
    const { sink, listing: found } = listing('sha256:x');
    await pipeline([archive], sink);
    const listed = rootOf(null).withLayer({ ...counted, listing: found });
    expect(await lines('COPY --from=x /f /f', { source: listed })).toEqual(expected);
    expect(reads).toBe(3);
  });

  test('two that copy out of one tree at a time each get everything', async () => {
    const { planOf } = await import('../transfer/fixture/transfer.ts');
    const files = ['a', 'b', 'c'].map((name) => ({ name, content: name.repeat(200_000) }));
    const source = rootOf(null, tar(...files));
    const all = await planOf('COPY --from=x / /x/', { source });
    const one = await planOf('COPY --from=x /b /b', { source });
    const pieces: Buffer[] = [];
    const begun = Promise.withResolvers<void>();
    const held: (() => void)[] = [];
    let isHeldUp = true;
    const slow = new Writable({
      highWaterMark: 1,
      write: (piece: Buffer, _encoding, done) => {
        pieces.push(Buffer.from(piece));
        begun.resolve();
        if (isHeldUp) held.push(done);
        else done();
      },
    });
    const whole = all.write(slow, { maxMtime: null });
    await begun.promise;
    expect(readTar(await written(one)).map(({ name, size }) => [name, size])).toEqual([['b', 200_000]]);
    isHeldUp = false;
    for (const done of held) done();
    await whole;
    const found = readTar(Buffer.concat(pieces)).map(({ name, content }) => [name, content.toString()]);
    expect(found).toEqual([['x/', ''], ...files.map(({ name, content }) => [`x/${name}`, content])]);
  });

  test('a layer that has lost a file is told, not taken for an empty one', async () => {
    const { planOf } = await import('../transfer/fixture/transfer.ts');
    const archive = tar({ name: 'f', content: 'F' }, { name: 'g', content: 'G' });
    const whole = layerOf(archive);
    const { sink, listing: found } = listing('sha256:x');
    await pipeline([archive], sink);
    const less = layerOf(tar({ name: 'f', content: 'F' }));
    const source = rootOf(null).withLayer({ ...less, diffId: whole.diffId, listing: found });
    await expect(planOf('COPY --from=x /g /g', { source })).rejects.toThrow(
      `cannot unpack layer ${whole.diffId}: it lacks a file that it had`,
    );
  });

  test('a layer’s own listing does for the next step', async () => {
    const { planOf } = await import('../transfer/fixture/transfer.ts');
    const plan = await planOf('COPY . /x', { context: { a: 'A', 'd/b': 'B', l: '->a' } });
    expect(plan.listing).toBe(null);
    const bytes = await written(plan);
    const root = rootOf(null).withLayer({ ...layerOf(bytes), listing: plan.listing ?? { entries: [] } });
    expect(await exported(root)).toEqual(await exported(rootOf(null, bytes)));
    expect(plan.listing?.entries.map(({ name }) => name)).toEqual(['x/', 'x/a', 'x/d/', 'x/d/b', 'x/l']);
  });

  test('equal files of another image are the same for the cache', async () => {
    const { planOf } = await import('../transfer/fixture/transfer.ts');
    const digest = async (source: RootTree): Promise<string> => {
      return (await planOf('COPY --from=x /bin/tool /t', { source })).contentDigest;
    };
    const more = rootOf(IMAGE, tar({ name: 'other', content: 'x' }));
    expect(await digest(more)).toBe(await digest(rootOf(IMAGE)));
  });
});
