import { describe, expect, test } from 'vitest';

import { listing, packed } from './fixture/store.ts';
import { type Member, tar } from './fixture/tar.ts';

const dir = (name: string, more: Partial<Member> = {}): Member => ({ name, type: '5', ...more });
const file = (name: string, content: string, more: Partial<Member> = {}): Member => ({
  name,
  content,
  ...more,
});
const link = (name: string, target: string, more: Partial<Member> = {}): Member => {
  return { name, type: '1', link: target, ...more };
};
const symlink = (name: string, target: string): Member => ({ name, type: '2', link: target });
const whiteout = (name: string): Member => ({ name });

const ROOT = '. directory 755 0:0';

describe('one layer', () => {
  test('missing parents are made, with names cleaned and kept inside', async () => {
    const names = ['./a/b', '/abs', '../../up', 'a/../../c/./d//e', 'a/b/../x'];
    expect(await listing(tar(...names.map((name) => file(name, '1'))))).toEqual([
      ROOT,
      'a directory 755 0:0',
      'a/b file 644 0:0 "1"',
      'a/x file 644 0:0 "1"',
      'abs file 644 0:0 "1"',
      'c directory 755 0:0',
      'c/d directory 755 0:0',
      'c/d/e file 644 0:0 "1"',
      'up file 644 0:0 "1"',
    ]);
  });

  test('the last of several entries at one name wins', async () => {
    const layer = tar(
      file('f', 'old'),
      file('f', 'new', { mode: 0o600 }),
      dir('d'),
      file('d', 'was a directory'),
      file('g', 'was a file'),
      dir('g', { mode: 0o700 }),
      dir('e', { mode: 0o700 }),
      dir('e', { mode: 0o750 }),
      file('e/x', 'kept'),
    );
    expect(await listing(layer)).toEqual([
      ROOT,
      'd file 644 0:0 "was a directory"',
      'e directory 750 0:0',
      'e/x file 644 0:0 "kept"',
      'f file 600 0:0 "new"',
      'g directory 700 0:0',
    ]);
  });

  test("the root's own entry gives its mode, owner, time and attributes", async () => {
    const pax = { 'SCHILY.xattr.user.a': 'b' };
    const entries = await packed(
      tar(dir('./', { mode: 0o1777, uid: 7, gid: 8, mtime: 9, pax }), file('f', '')),
    );
    expect(entries.get('.')).toMatchObject({
      mode: 0o1777,
      uid: 7,
      gid: 8,
      mtime: 9,
      xattrs: [['user.a', 'b']],
    });
  });

  test('a directory may come after what is in it', async () => {
    expect(await listing(tar(file('d/f', ''), dir('d', { mode: 0o700, uid: 3 })))).toEqual([
      ROOT,
      'd directory 700 3:0',
      'd/f file 644 0:0 ""',
    ]);
  });

  test('whiteouts hide nothing of their own layer', async () => {
    const layer = tar(
      file('f', '1'),
      whiteout('.wh.f'),
      dir('d'),
      file('d/x', ''),
      whiteout('d/.wh..wh..opq'),
    );
    expect(await listing(layer)).toEqual([
      ROOT,
      'd directory 755 0:0',
      'd/x file 644 0:0 ""',
      'f file 644 0:0 "1"',
    ]);
  });

  test('a hard link to a name that is replaced later keeps the content', async () => {
    const layer = tar(file('a', 'first'), link('b', 'a'), file('a', 'second'));
    expect(await listing(layer)).toEqual([ROOT, 'a file 644 0:0 "second"', 'b file 644 0:0 "first"']);
  });
});

describe('a layer on another', () => {
  const lower = tar(
    dir('d', { mode: 0o700, uid: 1 }),
    file('d/f', 'lower'),
    dir('d/sub'),
    file('d/sub/deep', 'lower'),
    file('f', 'lower'),
    symlink('l', 'd'),
  );

  test('adds and replaces', async () => {
    expect(await listing(lower, tar(file('f', 'upper'), file('d/g', 'upper')))).toEqual([
      ROOT,
      'd directory 700 1:0',
      'd/f file 644 0:0 "lower"',
      'd/g file 644 0:0 "upper"',
      'd/sub directory 755 0:0',
      'd/sub/deep file 644 0:0 "lower"',
      'f file 644 0:0 "upper"',
      'l symlink 777 0:0 d',
    ]);
  });

  test('changes a directory and keeps what is in it', async () => {
    const entries = await packed(lower, tar(dir('d/', { mode: 0o1755, uid: 5, mtime: 6 })));
    expect(entries.get('d')).toMatchObject({ mode: 0o1755, uid: 5, mtime: 6 });
    expect([...entries.keys()]).toEqual(['.', 'd', 'd/f', 'd/sub', 'd/sub/deep', 'f', 'l']);
  });

  test.each<[string, Member[], string[]]>([
    ['a file over a directory', [file('d', '')], ['d', 'f', 'l']],
    ['a symbolic link over a directory', [symlink('d', 'x')], ['d', 'f', 'l']],
    ['a directory over a file', [dir('f')], ['d', 'd/f', 'd/sub', 'd/sub/deep', 'f', 'l']],
    ['a directory over a symbolic link', [dir('l')], ['d', 'd/f', 'd/sub', 'd/sub/deep', 'f', 'l']],
    ['something below a file', [file('f/x', '')], ['d', 'd/f', 'd/sub', 'd/sub/deep', 'f', 'f/x', 'l']],
    ['a whiteout', [whiteout('d/.wh.f')], ['d', 'd/sub', 'd/sub/deep', 'f', 'l']],
    ['a whiteout of a directory', [whiteout('.wh.d')], ['f', 'l']],
    ['a whiteout of a symbolic link', [whiteout('.wh.l')], ['d', 'd/f', 'd/sub', 'd/sub/deep', 'f']],
    ['a whiteout of nothing', [whiteout('x/.wh.y')], ['d', 'd/f', 'd/sub', 'd/sub/deep', 'f', 'l']],
    ['an opaque directory', [whiteout('d/.wh..wh..opq'), file('d/n', '')], ['d', 'd/n', 'f', 'l']],
    [
      'an opaque directory at last',
      [file('d/sub/n', ''), whiteout('d/.wh..wh..opq')],
      ['d', 'd/sub', 'd/sub/n', 'f', 'l'],
    ],
    ['a whiteout after what replaces it', [file('d/n', ''), whiteout('.wh.d')], ['d', 'd/n', 'f', 'l']],
    ['an opaque root', [whiteout('.wh..wh..opq'), file('n', '')], ['n']],
    [
      "aufs' own files",
      [whiteout('.wh..wh.plnk/1'), whiteout('.wh..wh.aufs')],
      ['.wh..wh.plnk', '.wh..wh.plnk/1', 'd', 'd/f', 'd/sub', 'd/sub/deep', 'f', 'l'],
    ],
    [
      'a name through a symbolic link',
      [file('l/n', '')],
      ['d', 'd/f', 'd/n', 'd/sub', 'd/sub/deep', 'f', 'l'],
    ],
    ['a whiteout through a symbolic link', [whiteout('l/.wh.f')], ['d', 'd/sub', 'd/sub/deep', 'f', 'l']],
  ])('%s', async (_what, upper, expected) => {
    const entries = await packed(lower, tar(...upper));
    expect([...entries.keys()]).toEqual(['.', ...expected]);
  });

  test('a directory that is whited out and made again has nothing of the old one', async () => {
    const upper = tar(whiteout('.wh.d'), dir('d', { mode: 0o711 }), file('d/n', 'new'));
    expect(await listing(lower, upper)).toEqual([
      ROOT,
      'd directory 711 0:0',
      'd/n file 644 0:0 "new"',
      'f file 644 0:0 "lower"',
      'l symlink 777 0:0 d',
    ]);
  });

  test('a third layer sees what the second left', async () => {
    const keys = async (...more: Buffer[]) => [...(await packed(lower, ...more)).keys()];
    expect(await keys(tar(whiteout('.wh.d')), tar(file('d/again', '')))).toEqual([
      '.',
      'd',
      'd/again',
      'f',
      'l',
    ]);
  });
});

describe('hard links', () => {
  test('to the same and to a lower layer share one content', async () => {
    const lower = tar(file('a', 'x', { uid: 4 }), link('b', './a', { uid: 4 }));
    expect(await listing(lower, tar(link('c', '/b', { uid: 4 })))).toEqual([
      ROOT,
      'a file 644 4:0 "x"',
      'b hardlink 644 4:0 a',
      'c hardlink 644 4:0 a',
    ]);
  });

  test('survive the whiteout of their target', async () => {
    const lower = tar(file('a', 'x'), link('b', 'a'), link('c', 'a'));
    expect(await listing(lower, tar(whiteout('.wh.a')))).toEqual([
      ROOT,
      'b file 644 0:0 "x"',
      'c hardlink 644 0:0 b',
    ]);
  });

  test('stand before their target without harm', async () => {
    const lower = tar(file('z/a', 'x'), link('a/z', 'z/a'), link('m', 'z/a'));
    const entries = await packed(lower);
    const groups = ['a/z', 'm', 'z/a'].map((path) => entries.get(path)?.type);
    expect(groups.filter((type) => type === 'file')).toHaveLength(1);
    expect(groups.filter((type) => type === 'hardlink')).toHaveLength(2);
  });

  test('to symbolic links and devices', async () => {
    const layer = tar(
      symlink('l', 'to'),
      link('m', 'l'),
      { name: 'n', type: '3', major: 1, minor: 3 },
      link('o', 'n'),
    );
    const entries = await packed(layer);
    expect([...entries].map(([path, { type, link }]) => `${path} ${type} ${link}`)).toEqual([
      '. directory ',
      'l symlink to',
      'm hardlink l',
      'n character ',
      'o hardlink n',
    ]);
  });

  test('give the file the attributes of their own header, as containerd does', async () => {
    const entries = await packed(tar(file('a', 'x'), link('b', 'a', { mode: 0o4755, uid: 9 })));
    expect(entries.get('a')).toMatchObject({ mode: 0o4755, uid: 9 });
  });

  test('resolve their directories inside the root', async () => {
    const layer = tar(file('d/a', 'x'), symlink('l', '/../../d'), link('b', 'l/a'), link('c', '../../d/a'));
    expect((await packed(layer)).get('c')).toMatchObject({ type: 'hardlink', link: 'b' });
  });
});

describe('is refused', () => {
  test.each<[string, Member[], string]>([
    [
      'a hard link to nothing',
      [link('a', '/etc/passwd')],
      'entry "a" is a hard link to "/etc/passwd", which is not there',
    ],
    [
      'a hard link to a directory',
      [dir('d'), link('a', 'd')],
      'entry "a" is a hard link to "d", which is a directory',
    ],
    [
      'a hard link to the root',
      [link('a', '../..')],
      'entry "a" is a hard link to "../..", which is a directory',
    ],
    ['a hard link to itself', [file('a', ''), link('a', 'a')], 'entry "a" is a hard link to itself'],
    ['a whiteout of ..', [whiteout('d/.wh...')], 'entry "d/.wh..." is a whiteout of no name'],
    ['a whiteout of .', [whiteout('.wh..')], 'entry ".wh.." is a whiteout of no name'],
    ['a whiteout of nothing', [whiteout('.wh.')], 'entry ".wh." is a whiteout of no name'],
    [
      'symbolic links in circles',
      [symlink('a', 'b'), symlink('b', 'a'), file('a/x', '')],
      'entry "a/x" is at the end of too many symbolic links',
    ],
    [
      'something below a file of the same layer',
      [file('f', ''), file('f/x', '')],
      'entry "f/x" is below something that is no directory',
    ],
    [
      'a name that is too long',
      [file('x', '', { pax: { path: `d/${'n'.repeat(256)}` } })],
      `has a name of more than 255 bytes`,
    ],
    [
      'a directory name that is too long',
      [file('x', '', { pax: { path: `${'n'.repeat(256)}/d` } })],
      `has a name of more than 255 bytes`,
    ],
  ])('%s', async (_what, members, message) => {
    await expect(packed(tar(...members))).rejects.toThrow(message);
    await expect(packed(tar(), tar(...members))).rejects.toMatchObject({ code: 'image_broken' });
  });

  test('a path that symbolic links make too long', async () => {
    const part = 'p'.repeat(250);
    const long = Array.from({ length: 15 }, () => part).join('/');
    const members = [
      dir('d', { pax: { path: long } }),
      file('l', '', { type: '2', pax: { linkpath: long } }),
    ];
    const entry = file('f', '', { pax: { path: `l/${part}/${part}` } });
    await expect(packed(tar(...members, entry))).rejects.toThrow('is at a path of more than 4096 bytes');
  });
});
