import { describe, expect, test } from 'vitest';

import { MAX_HEADER_BYTES } from '../../../../src/images/layers/limits.ts';
import { indexOf, readTar } from './fixture/store.ts';
import { member, sealed, tar } from './fixture/tar.ts';

const BLOCK = 512;

function only(archive: Buffer) {
  const entries = readTar(archive);
  expect(entries).toHaveLength(1);
  const [entry] = entries;
  if (entry === undefined) throw new Error('no entry');
  return entry;
}

describe('a plain member', () => {
  test('has its attributes and its content', () => {
    const [entry] = readTar(tar({ name: 'a/b', content: 'hi', mode: 0o4755, uid: 1, gid: 2, mtime: 3 }));
    expect(entry).toEqual({
      type: 'file',
      name: 'a/b',
      link: '',
      mode: 0o4755,
      uid: 1,
      gid: 2,
      mtime: 3,
      size: 2,
      major: 0,
      minor: 0,
      xattrs: [],
      sparse: null,
      content: Buffer.from('hi'),
    });
  });

  test.each([1, 7, 511, 512, 513, 4096])('is the same in pieces of %d bytes', (pieceBytes) => {
    const archive = tar(
      { name: 'one', content: 'x'.repeat(1000), pax: { 'SCHILY.xattr.user.a': 'b', path: 'p'.repeat(300) } },
      { name: 'dir/', type: '5' },
      { name: 'two', content: 'y'.repeat(512) },
      { name: 'null', type: '3', major: 1, minor: 3 },
    );
    expect(readTar(archive, pieceBytes)).toEqual(readTar(archive));
    expect(readTar(archive)).toHaveLength(4);
  });

  test.each([
    ['0', 'file'],
    ['\0', 'file'],
    ['7', 'file'],
    ['1', 'hardlink'],
    ['2', 'symlink'],
    ['3', 'character'],
    ['4', 'block'],
    ['5', 'directory'],
    ['6', 'fifo'],
  ])('of type %j is a %s', (type, expected) => {
    expect(only(tar({ name: 'x', type, link: 'y' })).type).toBe(expected);
  });

  test('of V7 is a directory when its name ends in a slash', () => {
    expect(only(tar({ name: 'x/', type: '\0', magic: '' })).type).toBe('directory');
  });

  test('that is no file has no content, whatever its size field says', () => {
    const archive = tar({ name: 'l', type: '2', link: 't', size: 600 }, { name: 'next' });
    expect(readTar(archive).map(({ name, size }) => [name, size])).toEqual([
      ['l', 0],
      ['next', 0],
    ]);
  });

  test('keeps the bytes of its name', () => {
    const name = Buffer.from([0xff, 0x0a, 0xc3, 0x28]).toString('latin1');
    expect(only(tar({ name })).name).toBe(name);
  });

  test.each([
    ['POSIX', 'ustar\u000000', 'dir/name'],
    ['GNU', 'ustar  \0', 'name'],
  ])('has a prefix in a %s header only', (_dialect, magic, expected) => {
    expect(only(tar({ name: 'name', magic, patch: (block) => void block.write('dir', 345) })).name).toBe(
      expected,
    );
  });
});

describe('numbers', () => {
  const base256 = (at: number, bytes: number[]) => (block: Buffer) => void Buffer.from(bytes).copy(block, at);

  test.each([
    ['a large owner', base256(108, [0x80, 0, 0, 0, 0x12, 0x34, 0x56, 0x78]), { uid: 0x12345678 }],
    [
      'a negative time',
      base256(
        136,
        Array.from({ length: 12 }, () => 0xff),
      ),
      { mtime: -1 },
    ],
    ['spaces around digits', (block: Buffer) => void block.write('   755 \0', 100), { mode: 0o755 }],
    ['an empty field', (block: Buffer) => void block.fill(0, 108, 116), { uid: 0 }],
  ])('%s', (_what, patch, expected) => {
    expect(only(tar({ name: 'x', patch }))).toMatchObject(expected);
  });

  test.each([
    ['1.5', 1],
    ['-1.5', -2],
    ['-3', -3],
    ['-0.25', -1],
    ['99999999999', 99_999_999_999],
  ])('a PAX time of %s is rounded down', (mtime, expected) => {
    expect(only(tar({ name: 'x', pax: { mtime } })).mtime).toBe(expected);
  });

  test.each([
    ['uid', 'has a bad owner'],
    ['gid', 'has a bad owner'],
    ['size', 'has a bad size'],
    ['mtime', 'has a bad time'],
  ])('a PAX %s that is none is an error', (key, message) => {
    expect(() => readTar(tar({ name: 'x', pax: { [key]: '12x' } }))).toThrow(
      `cannot unpack layer sha256:test: entry "x" ${message}`,
    );
  });
});

describe('extended headers', () => {
  test('PAX wins over GNU, and GNU over the header', () => {
    const long = 'g'.repeat(200);
    const gnu = member({ name: '././@LongLink', type: 'L', content: `${long}\0` });
    expect(only(Buffer.concat([gnu, tar({ name: 'short' })])).name).toBe(long);
    expect(only(Buffer.concat([gnu, tar({ name: 'short', pax: { path: 'pax' } })])).name).toBe('pax');
  });

  test('a long link target, in both forms', () => {
    const long = 't'.repeat(300);
    const gnu = member({ name: '././@LongLink', type: 'K', content: `${long}\0` });
    expect(only(Buffer.concat([gnu, tar({ name: 'l', type: '2' })])).link).toBe(long);
    expect(only(tar({ name: 'l', type: '2', pax: { linkpath: long } })).link).toBe(long);
  });

  test('PAX owners and sizes', () => {
    const pax = { uid: '4294967294', gid: '3000000', size: '3' };
    expect(only(tar({ name: 'x', content: 'abc', size: 0, pax }))).toMatchObject({
      uid: 4_294_967_294,
      gid: 3_000_000,
      content: Buffer.from('abc'),
    });
  });

  test('extended attributes keep every byte; of both forms the plain one is taken', () => {
    const value = Buffer.from([0, 10, 0xff, 0x3d, 0]);
    const pax: [string, string | Buffer][] = [
      ['SCHILY.xattr.security.capability', value],
      ['LIBARCHIVE.xattr.user.a%3Db', value.toString('base64')],
      ['LIBARCHIVE.xattr.security.capability', 'AAAA'],
      ['SCHILY.xattr.user.empty', ''],
    ];
    expect(only(tar({ name: 'x', pax })).xattrs).toEqual([
      ['security.capability', value.toString('latin1')],
      ['user.a=b', value.toString('latin1')],
      ['user.empty', ''],
    ]);
  });

  test('global headers and unknown records are left aside', () => {
    const global = member({ name: 'g', type: 'g', content: '12 path=abc\n' });
    expect(only(Buffer.concat([global, tar({ name: 'x', pax: { comment: 'y' } })])).name).toBe('x');
  });

  test.each(['12 path=abc', '0 a=b\n', '7 ab=\n', '99 path=abc\n', 'x path=abc\n', '7 =abc\n\n', '5 a\n=\n'])(
    'the PAX record %j is refused',
    (content) => {
      const archive = Buffer.concat([member({ name: 'p', type: 'x', content }), tar({ name: 'x' })]);
      expect(() => readTar(archive)).toThrow('cannot unpack layer sha256:test: it has a bad PAX header');
    },
  );
});

describe('sparse files', () => {
  const sparse = [
    { offset: 512, length: 3 },
    { offset: 4096, length: 2 },
  ];
  const expected = { name: 'holes', size: 8192, sparse, content: Buffer.from('abcde') };

  test('old GNU header, with a block of more pairs', () => {
    const pairs = [0, 0, 512, 3, 600, 0, 700, 0, 4096, 2, 8192, 0].map(
      (value) => `${value.toString(8).padStart(11, '0')}\0`,
    );
    const more = Buffer.alloc(BLOCK);
    more.write(pairs.slice(8).join(''), 0, 'latin1');
    const archive = tar({
      name: 'holes',
      type: 'S',
      magic: 'ustar  \0',
      content: 'abcde',
      patch: (block) => {
        block.write(pairs.slice(0, 8).join(''), 386, 'latin1');
        block[482] = 1;
        block.write(`${(8192).toString(8).padStart(11, '0')}\0`, 483, 'latin1');
      },
    });
    const whole = Buffer.concat([archive.subarray(0, BLOCK), more, archive.subarray(BLOCK)]);
    expect(only(whole)).toMatchObject(expected);
  });

  test.each<[string, [string, string][], string]>([
    [
      '0.0',
      [
        ['GNU.sparse.size', '8192'],
        ['GNU.sparse.numblocks', '2'],
        ['GNU.sparse.offset', '512'],
        ['GNU.sparse.numbytes', '3'],
        ['GNU.sparse.offset', '4096'],
        ['GNU.sparse.numbytes', '2'],
      ],
      'abcde',
    ],
    [
      '0.1',
      [
        ['GNU.sparse.size', '8192'],
        ['GNU.sparse.map', '512,3,4096,2'],
        ['GNU.sparse.name', 'holes'],
      ],
      'abcde',
    ],
    [
      '1.0',
      [
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'holes'],
        ['GNU.sparse.realsize', '8192'],
      ],
      `${'3\n512\n3\n4096\n2\n8192\n0\n'.padEnd(512, '\0')}abcde`,
    ],
  ])('PAX %s', (_version, pax, content) => {
    expect(only(tar({ name: 'holes', pax, content }))).toMatchObject(expected);
  });

  test('a map of 1.0 that goes over several blocks', () => {
    const count = 200;
    const numbers = Array.from({ length: count }, (_, n) => [n * 10, 1]).flat();
    const text = `${[count, ...numbers].join('\n')}\n`;
    const map = text.padEnd(Math.ceil(text.length / BLOCK) * BLOCK, '\0');
    const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '5000' };
    const entry = only(tar({ name: 'x', pax, content: map + 'z'.repeat(count) }));
    expect(entry).toMatchObject({ size: 5000, content: Buffer.from('z'.repeat(count)) });
    expect(entry.sparse).toHaveLength(count);
  });

  test.each([
    ['overlaps', '0,3,2,2'],
    ['goes beyond the end', '0,3,8191,2'],
    ['does not match the content', '0,3'],
    ['is no list of numbers', 'a,b'],
    ['has half a pair', '0,5,9'],
  ])('a map that %s is an error', (_what, map) => {
    const pax = { 'GNU.sparse.size': '8192', 'GNU.sparse.map': map };
    expect(() => readTar(tar({ name: 'x', pax, content: 'abcde' }))).toThrow(
      'cannot unpack layer sha256:test: entry "x" has a bad map of its holes',
    );
  });

  test.each(['', '\0', '9999999\n', '1\n', 'x\n0\n5\n', '123456789012345678901234567890'])(
    'the map %j in front of the content is an error',
    (map) => {
      const pax = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '9' };
      expect(() => readTar(tar({ name: 'x', pax, content: map.padEnd(512, '\0') }))).toThrow(
        'entry "x" has ',
      );
    },
  );
});

describe('the end', () => {
  const whole = tar({ name: 'x', content: 'abc' });

  test.each([
    ['nothing at all', Buffer.alloc(0), 0],
    ['no zero blocks', whole.subarray(0, 2 * BLOCK), 1],
    ['no padding', whole.subarray(0, BLOCK + 3), 1],
    ['one zero block', whole.subarray(0, 3 * BLOCK), 1],
    ['garbage after it', Buffer.concat([whole, Buffer.from('garbage'.repeat(1000))]), 1],
  ])('%s is tolerated', (_what, archive, count) => {
    expect(readTar(archive)).toHaveLength(count);
  });

  test.each([
    ['a header', whole.subarray(0, 100)],
    ['content', whole.subarray(0, BLOCK + 2)],
    ['an extended header', member({ name: 'p', type: 'L', content: 'name' }).subarray(0, BLOCK + 2)],
    ['what an extended header belongs to', member({ name: 'p', type: 'L', content: 'name' })],
  ])('in the middle of %s is an error', (_what, archive) => {
    expect(() => readTar(archive)).toThrow(
      'cannot unpack layer sha256:test: it ends in the middle of an entry',
    );
  });

  test('a wrong checksum is an error', () => {
    const bad = Buffer.from(whole);
    bad[0] = 0x79;
    expect(() => readTar(bad)).toThrow('cannot unpack layer sha256:test: it is no sound tar archive');
    sealed(bad.subarray(0, BLOCK));
    expect(readTar(bad)).toHaveLength(1);
  });

  test('a checksum over signed characters is one', () => {
    const block = Buffer.from(tar({ name: '\u00ff\u00fe' }));
    const sum = Number.parseInt(block.toString('latin1', 148, 154), 8) - 2 * 256;
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    expect(readTar(block)).toHaveLength(1);
  });
});

describe('limits', () => {
  test.each([
    [{ name: 'x', pax: { path: 'n'.repeat(4097) } }, 'entry "x" has a name of more than 4096 bytes'],
    [
      { name: 'x', type: '2', pax: { linkpath: 'n'.repeat(4096) } },
      'entry "x" has a link target of more than 4095 bytes',
    ],
    [{ name: 'x', type: '2' }, 'entry "x" is a symbolic link to nothing'],
    [{ name: 'x', pax: { path: 'a\0b' } }, 'entry "x" has a NUL in its name'],
    [{ name: 'x', type: 'V' }, 'entry "x" is of unknown type "V"'],
    [{ name: 'x', type: '\u007f' }, 'entry "x" is of unknown type "\\u007f"'],
    [{ name: 'x', pax: { uid: '4294967296' } }, 'entry "x" has a bad owner'],
    [{ name: 'x', type: '3', minor: 2 ** 20 }, 'entry "x" has a bad device number'],
    [{ name: 'x', pax: { size: '68719476737' } }, 'the image unpacks to more than 64 GiB'],
    [{ name: 'x', pax: { 'SCHILY.xattr.user.a': 'v'.repeat(65_537) } }, 'an extended attribute is too large'],
    [
      { name: 'x', type: 'L', size: MAX_HEADER_BYTES + 1 },
      'it has an extended header of more than 1048576 bytes',
    ],
  ])('%#: %j', (options, message) => {
    expect(() => readTar(tar(options))).toThrow(`cannot unpack layer sha256:test: ${message}`);
  });

  test('too many pieces of a sparse file', () => {
    const map = Array.from({ length: 65_537 }, (_, n) => `${n},0`).join(',');
    const archive = tar({ name: 'x', pax: { 'GNU.sparse.size': '99999', 'GNU.sparse.map': map } });
    expect(() => readTar(archive)).toThrow('entry "x" has more than 65536 pieces');
  });

  test('a name is shown without its control characters', () => {
    expect(() => readTar(tar({ name: 'a\u001b[2J\u009b', type: 'V' }))).toThrow(
      'entry "a\\u001b[2J\ufffd" is of unknown type "V"',
    );
  });

  test('the index of a layer is its entries', async () => {
    const { entries } = await indexOf(tar({ name: 'a', content: 'x' }, { name: 'b' }));
    expect(entries.map(({ name, size }) => [name, size])).toEqual([
      ['a', 1],
      ['b', 0],
    ]);
  });

  test('an error in the tar is the error of the index', async () => {
    await expect(indexOf(Buffer.alloc(600, 'x'))).rejects.toMatchObject({
      code: 'image_broken',
      message: 'cannot unpack layer sha256:test: it is no sound tar archive',
      hint: 'nothing was written; the image has to be built again',
    });
  });
});
