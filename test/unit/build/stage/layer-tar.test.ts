import { PassThrough, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';

import { LayerTar } from '../../../../src/build/stage/layer-tar.ts';
import type { TarEntry } from '../../../../src/images/layers/tar/entry.ts';
import { END_OF_ARCHIVE, headersOf, paddingAfter } from '../../../../src/images/layers/tar/writer.ts';

const PLAIN: TarEntry = {
  type: 'file',
  name: 'f',
  link: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: 5,
  size: 0,
  major: 0,
  minor: 0,
  xattrs: [],
  sparse: null,
};

function member(change: Partial<TarEntry>, content = ''): Buffer {
  const entry = { ...PLAIN, size: content.length, ...change };
  const headers = headersOf(entry, entry.name, entry.link) ?? Buffer.alloc(0);
  return Buffer.concat([headers, Buffer.from(content), paddingAfter(content.length)]);
}

/** What becomes of an archive that a guest sends in pieces of `size` bytes. */
async function through(archive: Buffer, maxMtime: number | null = null, size = 1000): Promise<Buffer> {
  const sink = new PassThrough();
  const written = buffer(sink);
  written.catch(() => {});
  const layer = new LayerTar(sink, maxMtime);
  for (let at = 0; at < archive.length; at += size) await layer.push(archive.subarray(at, at + size));
  await layer.end();
  return written;
}

test('a sound layer comes out in the form of all layers, however it comes in', async () => {
  const archive = Buffer.concat([
    member({ type: 'directory', name: 'd/', mode: 0o1777 }),
    member({ name: 'd/f', xattrs: [['user.a', 'b']] }, 'x'.repeat(3000)),
    member({ type: 'hardlink', name: 'd/g', link: 'd/f' }),
    member({ type: 'symlink', name: 'd/l', link: '../..', mode: 0o777 }),
    END_OF_ARCHIVE,
  ]);
  for (const size of [1, 512, 100_000])
    expect((await through(archive, null, size)).equals(archive)).toBe(true);
});

test('what follows the end of the archive, and attributes that mean nothing elsewhere, are left out', async () => {
  const said = Buffer.concat([
    member(
      {
        xattrs: [
          ['trusted.overlay.opaque', 'y'],
          ['user.a', 'b'],
          ['security.selinux', 'x'],
        ],
      },
      'x',
    ),
    END_OF_ARCHIVE,
    Buffer.from('and more'),
  ]);
  const expected = Buffer.concat([member({ xattrs: [['user.a', 'b']] }, 'x'), END_OF_ARCHIVE]);
  expect((await through(said)).equals(expected)).toBe(true);
});

test('later times become the limit', async () => {
  const archive = Buffer.concat([member({ mtime: 7 }), member({ name: 'g', mtime: 3 }), END_OF_ARCHIVE]);
  const expected = Buffer.concat([member({ mtime: 5 }), member({ name: 'g', mtime: 3 }), END_OF_ARCHIVE]);
  expect((await through(archive, 5)).equals(expected)).toBe(true);
});

test.each([
  ['a name that leads up', member({ name: 'a/../../x' }), 'it has an entry at "a/../../x"'],
  ['an absolute name', member({ name: '/etc/passwd' }), 'it has an entry at "/etc/passwd"'],
  ['an empty part', member({ name: 'a//b' }), 'it has an entry at "a//b"'],
  ['the root as a file', member({ name: '.' }), 'it has an entry at "."'],
  [
    'a link that leads up',
    member({ type: 'hardlink', name: 'x', link: '../x' }),
    '"x" is a hard link to "../x"',
  ],
  [
    'a name that is too long',
    member({ name: 'x'.repeat(256) }),
    `the name "${'x'.repeat(200)}…" is too long`,
  ],
  ['no archive', Buffer.alloc(512, 'x'), 'it is no sound tar archive'],
  ['half an entry', member({}, 'x'.repeat(1000)).subarray(0, 1024), 'it ends in the middle of an entry'],
])('%s is refused', async (_name, said, what) => {
  await expect(
    through(
      Buffer.concat([said, ...(said.length % 512 === 0 && what.includes('ends') ? [] : [END_OF_ARCHIVE])]),
    ),
  ).rejects.toMatchObject({
    code: 'guest_protocol',
    message: `the VM sent an unsound layer: ${what}`,
  });
});

test('a sink that fails ends it', async () => {
  const sink = new Writable({ write: (_chunk, _encoding, done) => done(new Error('no room')) });
  const layer = new LayerTar(sink, null);
  await layer.push(member({}, 'x'));
  await expect(layer.end()).rejects.toThrow('no room');
});
