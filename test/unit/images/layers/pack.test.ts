import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

import { packLayers } from '../../../../src/images/layers/pack.ts';
import { blobPath } from '../../../../src/images/store.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { addLayer, packed, readSquashfs } from './fixture/store.ts';
import { member, tar } from './fixture/tar.ts';

/** A frame of zstd that is to be skipped. */
const SKIPPED = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0]), Buffer.from('data')]);

async function packBlob(archive: Buffer, blob: Buffer) {
  const root = temporaryDirectory();
  const file = join(root, 'squashfs');
  await packLayers(root, [addLayer(root, archive, blob)], file);
  return readSquashfs(file);
}

describe('compression is told by the bytes, whatever the media type', () => {
  const archive = tar({ name: 'f', content: 'x'.repeat(300_000) });
  const half = 150_000;
  const halves = [archive.subarray(0, half), archive.subarray(half)];

  test.each<[string, Buffer]>([
    ['none', archive],
    ['gzip', gzipSync(archive)],
    ['gzip in several members', Buffer.concat(halves.map((part) => gzipSync(part)))],
    ['gzip with an empty member', Buffer.concat([gzipSync(archive), gzipSync('')])],
    ['zstd', zstdCompressSync(archive)],
    ['zstd in several frames', Buffer.concat(halves.map((part) => zstdCompressSync(part)))],
    ['zstd with frames to skip', Buffer.concat([SKIPPED, zstdCompressSync(archive), SKIPPED])],
    [
      'zstd in a frame each 100 bytes',
      Buffer.concat(
        Array.from({ length: Math.ceil(archive.length / 100) }, (_, n) =>
          zstdCompressSync(archive.subarray(n * 100, n * 100 + 100)),
        ),
      ),
    ],
  ])('%s', async (_what, blob) => {
    const entries = await packBlob(archive, blob);
    expect(entries.get('f')?.content).toEqual(Buffer.alloc(300_000, 'x'));
  });

  test.each<[string, Buffer]>([
    ['an empty gzip', gzipSync('')],
    ['nothing', Buffer.alloc(0)],
  ])('%s is a layer without entries', async (_what, blob) => {
    expect([...(await packBlob(Buffer.alloc(0), blob)).keys()]).toEqual(['.']);
  });

  test.each<[string, Buffer]>([
    ['gzip', gzipSync(archive).subarray(0, 200)],
    ['gzip with garbage behind', Buffer.concat([gzipSync(archive), Buffer.from('garbage')])],
    ['zstd', zstdCompressSync(archive).subarray(0, 20)],
    ['zstd with garbage behind', Buffer.concat([zstdCompressSync(archive), Buffer.from('garbage')])],
  ])('damaged %s is an error', async (_what, blob) => {
    await expect(packBlob(archive, blob)).rejects.toMatchObject({
      code: 'image_broken',
      message: expect.stringMatching(
        /^cannot unpack layer sha256:[\da-f]{64}: its compressed data is damaged$/,
      ),
    });
  });

  test.each(['425a6839314159', 'fd377a585a000004'])('%s… is not supported', async (magic) => {
    await expect(packBlob(archive, Buffer.from(magic, 'hex'))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/^layer sha256:[\da-f]{64} is compressed with bzip2 or xz$/),
      hint: 'it may be plain tar, gzip or zstd',
    });
  });
});

describe('a blob that is not what its digest says', () => {
  test.each([
    ['altered', (path: string) => writeFileSync(path, gzipSync(tar({ name: 'other' })))],
    ['altered', (path: string) => truncateSync(path, 30)],
    ['altered', (path: string) => writeFileSync(path, 'no tar at all'.repeat(100))],
  ])('%s (%#)', async (_what, damage) => {
    const root = temporaryDirectory();
    const layer = addLayer(root, tar({ name: 'f', content: 'x' }));
    damage(blobPath(root, layer.digest));
    await expect(packLayers(root, [layer], join(root, 'squashfs'))).rejects.toMatchObject({
      code: 'image_broken',
      message: `the image is damaged: blob ${layer.digest} was altered`,
    });
  });

  test('unpacks to another digest', async () => {
    const root = temporaryDirectory();
    const layer = { ...addLayer(root, tar({ name: 'f' })), diffId: `sha256:${'0'.repeat(64)}` };
    await expect(packLayers(root, [layer, layer], join(root, 'squashfs'))).rejects.toMatchObject({
      message: `the image is damaged: blob ${layer.digest} does not unpack to ${layer.diffId}`,
    });
  });
});

describe('what a squashfs keeps', () => {
  test('modes, devices, FIFOs, times and owners', async () => {
    const entries = await packed(
      tar(
        { name: 'suid', mode: 0o6755, uid: 2_000_000, gid: 3 },
        { name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 },
        { name: 'disk', type: '4', major: 4095, minor: 1_048_575, mode: 0o660 },
        { name: 'fifo', type: '6' },
        { name: 'old', pax: { mtime: '-5' } },
        { name: 'late', pax: { mtime: '4294967295.9' } },
        { name: 'later', pax: { mtime: '99999999999' } },
      ),
    );
    expect(entries.get('suid')).toMatchObject({ mode: 0o6755, uid: 2_000_000, gid: 3 });
    expect(entries.get('null')).toMatchObject({ type: 'character', major: 1, minor: 3 });
    expect(entries.get('disk')).toMatchObject({ type: 'block', major: 4095, minor: 1_048_575 });
    expect(entries.get('fifo')?.type).toBe('fifo');
    const times = ['old', 'late', 'later'].map((name) => entries.get(name)?.mtime);
    expect(times).toEqual([0, 4_294_967_295, 4_294_967_295]);
  });

  test('the largest owners', async () => {
    const root = temporaryDirectory();
    const file = join(root, 'squashfs');
    await packLayers(
      root,
      [addLayer(root, tar({ name: 'f', pax: { uid: '4294967294', gid: '3000000' } }))],
      file,
    );
    // sqfs2tar cannot write such owners.
    const description = execFileSync('rdsquashfs', ['--describe', file], { encoding: 'utf8' });
    expect(description).toBe('file f 0644 4294967294 3000000\n');
  });

  test('names and link targets of any bytes, 255 and 4095 of them', async () => {
    const bytes = Buffer.from([0xff, 0x0a, 0x20, 0xc3, 0x28, 0x5c]).toString('latin1');
    const name = 'n'.repeat(255);
    const linkpath = 't'.repeat(4095);
    const entries = await packed(
      tar(
        { name: bytes, content: 'x' },
        { name: 'x', pax: { path: name } },
        { name: 'l', type: '2', pax: { linkpath } },
      ),
    );
    expect([...entries.keys()]).toEqual(['.', 'l', name, bytes]);
    expect(entries.get('l')?.link).toBe(linkpath);
  });

  test('long paths in PAX and in GNU form', async () => {
    const path = Array.from({ length: 20 }, () => 'd'.repeat(200)).join('/');
    const gnu = member({ name: '././@LongLink', type: 'L', content: `${path}/gnu\0` });
    const archive = Buffer.concat([
      gnu,
      tar({ name: 'x', content: '1' }, { name: 'y', pax: { path: `${path}/pax` } }),
    ]);
    const names = [...(await packed(archive)).keys()].slice(-2);
    expect(names).toEqual([`${path}/gnu`, `${path}/pax`]);
  });

  test('extended attributes of files, directories, links and devices', async () => {
    const value = Buffer.from([1, 0, 0, 2, 10, 255]).toString('latin1');
    const pax = {
      'SCHILY.xattr.security.capability': value,
      'SCHILY.xattr.trusted.overlay.opaque': 'y',
      'SCHILY.xattr.user.empty': '',
      // A squashfs cannot keep it, as overlay's lower layers on such file systems cannot.
      'SCHILY.xattr.system.posix_acl_access': 'acl',
    };
    const expected = [
      ['security.capability', value],
      ['trusted.overlay.opaque', 'y'],
      ['user.empty', ''],
    ];
    const members = [
      { name: 'f', content: 'x', pax },
      { name: 'd', type: '5', pax },
      { name: 'l', type: '2', link: 't', pax },
      { name: 'n', type: '3', major: 1, minor: 3, pax },
    ];
    for (const entries of [await packed(tar(...members)), await packed(tar(...members), tar())]) {
      for (const { name } of members) {
        expect(entries.get(name)?.xattrs.toSorted(), name).toEqual(expected);
      }
    }
  });

  test('holes, in files larger than 4 GiB', async () => {
    const size = 5 * 1024 ** 3;
    const pax = { 'GNU.sparse.size': String(size), 'GNU.sparse.map': `1048576,3,${size - 2},2` };
    const root = temporaryDirectory();
    const file = join(root, 'squashfs');
    const layers = [
      addLayer(
        root,
        tar(
          { name: 'big', content: 'abcde', pax },
          { name: 'hole', pax: { 'GNU.sparse.size': '70000', 'GNU.sparse.map': '' } },
        ),
      ),
      addLayer(root, tar({ name: 'after', content: 'y' })),
    ];
    await packLayers(root, layers, file);
    const stat = (path: string) =>
      execFileSync('rdsquashfs', ['--stat', path, file], { encoding: 'utf8', maxBuffer: 1 << 26 });
    expect(stat('big')).toContain(`File size: ${size}`);
    expect(stat('hole')).toContain('File size: 70000');
    const cut = 'rdsquashfs --cat big "$1" | { head -c 1048576 >/dev/null; head -c 4; }';
    expect(execFileSync('sh', ['-c', cut, 'sh', file], { encoding: 'latin1' })).toBe('abc\0');
    const tail = execFileSync('sh', ['-c', 'rdsquashfs --cat big "$1" | tail -c 3', 'sh', file], {
      encoding: 'latin1',
    });
    expect(tail).toBe('\0de');
  }, 240_000);

  test('more attributes than tar2sqfs takes are an error', async () => {
    const pax = { 'SCHILY.xattr.user.a': 'v'.repeat(65_530), 'SCHILY.xattr.user.b': 'w' };
    await expect(packed(tar({ name: 'f', pax }))).rejects.toThrow(
      'the attributes of "f" take more than 64 KiB',
    );
  });

  test('more owners than a squashfs can name are an error', { timeout: 240_000 }, async () => {
    const members = Array.from({ length: 32_769 }, (_, n) => ({
      name: `f${n}`,
      type: '2',
      link: 'x',
      uid: 2 * n,
      gid: 2 * n + 1,
    }));
    await expect(packed(tar(...members))).rejects.toThrow('the image has more than 65536 owners');
  });
});

describe('a hostile image', () => {
  test('touches nothing but its squashfs', async () => {
    const root = temporaryDirectory();
    const outside = join(root, 'outside');
    writeFileSync(outside, 'untouched');
    const layers = [
      addLayer(
        root,
        tar(
          { name: `../${outside}`, content: 'x' },
          { name: outside, content: 'x' },
          { name: 'l', type: '2', link: root },
          { name: 'l/outside', content: 'x' },
          { name: 'up', type: '2', link: '../../../../../..' },
          { name: `up${outside}`, content: 'x' },
        ),
      ),
      addLayer(root, tar({ name: `up${root}/.wh.outside` }, { name: 'l/new', content: 'x' })),
    ];
    const before = readdirSync(root).toSorted();
    await packLayers(root, layers, join(root, 'squashfs'));
    expect(readdirSync(root).toSorted()).toEqual([...before, 'squashfs']);
    const entries = readSquashfs(join(root, 'squashfs'));
    expect(entries.get(`${root.slice(1)}/new`)?.content.toString()).toBe('x');
    expect(entries.has(outside.slice(1))).toBe(false);
  });

  test('of 1 GiB of zeros in 1 MB is packed in little space', async () => {
    const root = temporaryDirectory();
    const header = tar({ name: 'zeros', size: 1024 ** 3 }).subarray(0, 512);
    const zeros = Buffer.alloc(1 << 20);
    const hash = createHash('sha256').update(header);
    for (let n = 0; n < 1024; n += 1) hash.update(zeros);
    const piece = gzipSync(zeros);
    const blob = Buffer.concat([gzipSync(header), ...Array.from({ length: 1024 }, () => piece)]);
    const layer = { ...addLayer(root, header, blob), diffId: `sha256:${hash.digest('hex')}` };
    const file = join(root, 'squashfs');
    await packLayers(root, [layer], file);
    expect(statSync(file).size).toBeLessThan(100_000);
  }, 240_000);

  test('of 100,000 entries keeps them all', async () => {
    const members = Array.from({ length: 100_000 }, (_, n) => ({ name: `${n % 500}/${n}`, content: 'x' }));
    const root = temporaryDirectory();
    const file = join(root, 'squashfs');
    const layers = [addLayer(root, tar(...members)), addLayer(root, tar({ name: '0/.wh.500' }))];
    await packLayers(root, layers, file);
    expect(readSquashfs(file).size).toBe(100_000 - 1 + 500 + 1);
  }, 240_000);

  test('of many opaque markers for one directory is packed in time', async () => {
    const many = Array.from({ length: 20_000 }, (_, n) => ({ name: `d/${n % 100}/${n}` }));
    const markers = Array.from({ length: 20_000 }, () => ({ name: 'd/.wh..wh..opq' }));
    const entries = await packed(tar(), tar(...many, ...markers));
    expect(entries.size).toBe(20_000 + 100 + 2);
  }, 30_000);
});
