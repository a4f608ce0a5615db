/** What we make of an image against what `umoci raw unpack` makes of it, entry by entry. */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { packLayers } from '../../../../src/images/layers/pack.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { writeLayout } from './fixture/layout.ts';
import { addLayer, readSquashfs } from './fixture/store.ts';
import { type Member, member, tar } from './fixture/tar.ts';
import { comparable, unpackedByUmoci } from './fixture/umoci.ts';

const dir = (name: string, more: Partial<Member> = {}): Member => ({ name, type: '5', ...more });
const file = (name: string, content: string, more: Partial<Member> = {}): Member => ({
  name,
  content,
  ...more,
});
const link = (name: string, target: string): Member => ({ name, type: '1', link: target });
const symlink = (name: string, target: string): Member => ({ name, type: '2', link: target });
const whiteout = (name: string): Member => ({ name });
/** umoci gives the root the time of the unpacking when no layer has an entry for it. */
const root = dir('./', { mtime: 1_600_000_000 });

const base = [
  root,
  dir('etc', { mode: 0o750, uid: 3, gid: 4, mtime: 1_500_000_000 }),
  file('etc/passwd', 'root:x:0:0\n', { mode: 0o600 }),
  dir('usr'),
  dir('usr/lib'),
  file('usr/lib/a.so', 'a'.repeat(5000)),
  symlink('lib', 'usr/lib'),
  file('big', 'b'.repeat(300_000)),
];

/** Layers by name. Not among them, because umoci cannot unpack it: GNU's old form of holes, compared with the new one below. */
const images: Record<string, Buffer[]> = {
  'one layer': [tar(...base)],
  'modes, devices and FIFOs': [
    tar(
      root,
      file('suid', 'x', { mode: 0o4755, uid: 1000, gid: 1000 }),
      file('sgid', 'x', { mode: 0o2711 }),
      dir('sticky', { mode: 0o1777 }),
      { name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 },
      { name: 'disk', type: '4', major: 259, minor: 300, mode: 0o660 },
      { name: 'fifo', type: '6', mode: 0o622 },
    ),
  ],
  'a file replaced and one added': [
    tar(...base),
    tar(root, dir('etc', { mode: 0o700 }), file('etc/passwd', 'new'), file('etc/new', '')),
  ],
  whiteouts: [
    tar(...base),
    tar(root, whiteout('.wh.big'), dir('etc'), whiteout('etc/.wh.passwd'), whiteout('.wh.usr')),
  ],
  'a whiteout and its name made again': [
    tar(...base),
    tar(root, whiteout('.wh.etc')),
    tar(root, dir('etc', { mode: 0o711 }), file('etc/only', 'x')),
  ],
  'an opaque directory': [
    tar(...base),
    tar(
      root,
      dir('usr'),
      whiteout('usr/.wh..wh..opq'),
      dir('usr/bin'),
      file('usr/bin/x', 'x', { mode: 0o755 }),
    ),
  ],
  'hard links in a layer': [
    tar(
      root,
      file('a', 'content'),
      link('b', 'a'),
      dir('d'),
      link('d/c', './b'),
      symlink('s', 'a'),
      link('t', 's'),
    ),
  ],
  'hard links to a lower layer': [
    tar(root, file('a', 'content'), file('z', '')),
    tar(root, link('b', 'a'), link('c', 'b')),
  ],
  'a hard link whose first name is whited out': [
    tar(root, file('a', 'content'), link('b', 'a')),
    tar(root, whiteout('.wh.a')),
  ],
  'a hard link whose first name is replaced': [
    tar(root, file('a', 'old'), link('b', 'a')),
    tar(root, file('a', 'new')),
  ],
  'a file over a directory': [tar(...base), tar(root, file('usr', 'now a file'))],
  'a directory over a file': [tar(...base), tar(root, dir('big', { mode: 0o700 }), file('big/x', 'x'))],
  'a symbolic link over a directory': [tar(...base), tar(root, symlink('usr', '/nowhere'))],
  'a directory over a symbolic link': [
    tar(...base),
    tar(root, whiteout('.wh.lib'), dir('lib'), file('lib/own', '')),
  ],
  'names through a symbolic link': [tar(...base), tar(root, file('lib/through', 'x'))],
  'extended attributes': [
    tar(
      root,
      file('cap', 'x', {
        pax: { 'SCHILY.xattr.security.capability': Buffer.from('AQAAAgAgAAAAAAAAAAAAAAAAAAA=', 'base64') },
      }),
      dir('d', {
        pax: { 'SCHILY.xattr.user.b': Buffer.from([0, 1, 255, 10]), 'SCHILY.xattr.trusted.t': 'v' },
      }),
      symlink('l', 'cap'),
    ),
  ],
  'attributes that a later layer drops': [
    tar(
      root,
      dir('d', { pax: { 'SCHILY.xattr.user.a': '1' } }),
      file('f', 'x', { pax: { 'SCHILY.xattr.user.a': '1' } }),
    ),
    tar(root, dir('d'), file('f', 'x')),
  ],
  'long names, PAX and GNU': [
    Buffer.concat([
      tar(root).subarray(0, 512),
      member({ name: '././@LongLink', type: 'L', content: `${'g'.repeat(200)}\0` }),
      member(file('x', '1')),
      tar(file('y', '2', { pax: { path: 'p'.repeat(200) } }), file('ü\n\u00ff', '3')),
    ]),
  ],
  'odd names and duplicates': [
    tar(
      root,
      dir('./d/'),
      file('/abs', 'x'),
      file('./d//f', 'old'),
      file('d/f', 'new'),
      file('../up', 'x'),
      dir('d', { mode: 0o700 }),
    ),
  ],
  'what GNU tar writes': [gnuTar('--format=gnu')],
  'holes that GNU tar writes': [gnuTar('--format=pax', '--sparse')],
};

/** A tree archived by GNU tar, with holes, links and a long name. */
function gnuTar(...options: string[]): Buffer {
  const tree = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  try {
    mkdirSync(join(tree, 'dir'));
    writeFileSync(join(tree, 'holes'), 'start');
    truncateSync(join(tree, 'holes'), 3_000_000);
    writeFileSync(join(tree, 'dir', 'n'.repeat(250)), 'long');
    linkSync(join(tree, 'holes'), join(tree, 'dir', 'linked'));
    symlinkSync('../holes', join(tree, 'dir', 'symbolic'));
    return execFileSync('tar', [...options, '--mtime=@1600000000', '--sort=name', '-C', tree, '-c', '.'], {
      maxBuffer: 1 << 26,
    });
  } finally {
    execFileSync('rm', ['-rf', tree]);
  }
}

test.skipIf(process.getuid?.() !== 0).for(Object.entries(images))('%s', async ([, tars]) => {
  const directory = temporaryDirectory();
  const layers = tars.map((bytes) => addLayer(directory, bytes));
  writeLayout(directory, layers);
  const squashfs = join(directory, 'squashfs');
  await packLayers(directory, layers, squashfs);
  const unpacked = unpackedByUmoci(`${directory}:test`, join(directory, 'unpacked'));
  expect(comparable(readSquashfs(squashfs))).toEqual(comparable(unpacked));
});

test("holes in GNU's old form give the same file", async () => {
  const directory = temporaryDirectory();
  const compared = await Promise.all(
    ['gnu', 'pax'].map(async (format) => {
      const file = join(directory, format);
      await packLayers(directory, [addLayer(directory, gnuTar(`--format=${format}`, '--sparse'))], file);
      return comparable(readSquashfs(file));
    }),
  );
  expect(compared[0]).toEqual(compared[1]);
  expect(compared[0]?.['holes']).toMatchObject({ size: 3_000_000, group: ['dir/linked', 'holes'] });
});
