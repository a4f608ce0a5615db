/** What ADD adds besides what COPY does: archives, URLs, repositories. */
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../../../temporary.ts';
import { readTar } from '../../images/layers/fixture/store.ts';
import { tar } from '../../images/layers/fixture/tar.ts';
import { contextOf, directoryOf, layer, lines, rootOf, shown } from './fixture/transfer.ts';

const TIME = 1_700_000_000;

/** A context with this archive. */
function holding(archive: Buffer, name = 'a.tar'): { context: ReturnType<typeof contextOf> } {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, name), archive);
  return { context: contextOf(directory) };
}

function unpacked(archive: Buffer, line = 'ADD a.tar /x', given = {}): Promise<string[]> {
  return lines(line, { ...holding(archive), ...given });
}

const SAMPLE = tar(
  { name: 'd/', type: '5', mode: 0o700, uid: 3, gid: 4 },
  { name: 'd/f', content: 'one', uid: 5, mode: 0o4755 },
  { name: 'd/again', type: '1', link: 'd/f', uid: 5, mode: 0o4755 },
  { name: 's', type: '2', link: '/etc/passwd', mode: 0o777 },
  { name: 'p', type: '6' },
  { name: 'n', type: '3', major: 1, minor: 3 },
);
const SAMPLE_LINES = [
  'x/ 755 0:0 made',
  `x/d/ 700 3:4 ${TIME}`,
  `x/n character 644 0:0 ${TIME}`,
  `x/p fifo 644 0:0 ${TIME}`,
  `x/s symlink 777 0:0 ${TIME} /etc/passwd`,
  // What comes out of a stream is behind everything else.
  `x/d/again 4755 5:0 ${TIME} "one"`,
  `x/d/f hardlink 4755 5:0 ${TIME} x/d/again`,
];

describe('archives of the context are unpacked', () => {
  test.each<[string, Buffer]>([
    ['plain', SAMPLE],
    ['gzip', gzipSync(SAMPLE)],
    ['zstd', zstdCompressSync(SAMPLE)],
    ['bzip2', execFileSync('bzip2', ['-c'], { input: SAMPLE })],
    ['xz', execFileSync('xz', ['-c'], { input: SAMPLE })],
  ])('%s', async (_what, archive) => {
    expect(await unpacked(archive)).toEqual(SAMPLE_LINES);
  });

  test('whatever their names are, and by wildcards', async () => {
    const given = holding(SAMPLE, 'photo.jpg');
    expect(await lines('ADD *.jpg /x', given)).toEqual(SAMPLE_LINES);
  });

  test.each(['ADD --unpack=false a.tar /x', 'COPY a.tar /x'])('%s copies it', async (line) => {
    const [only] = readTar(await layer(line, holding(SAMPLE)));
    expect(only?.name).toBe('x');
    expect(only?.content).toEqual(SAMPLE);
  });

  test.each<[string, Buffer]>([
    ['text', Buffer.from('hello')],
    ['an archive without entries', Buffer.alloc(10_240)],
    ['gzip of text', gzipSync('hello')],
    ['half a gzip', gzipSync(SAMPLE).subarray(0, 20)],
    ['what only begins as xz', Buffer.from('fd377a585a0000000000', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('%s is copied', async (_what, file) => {
    const [only] = readTar(await layer('ADD a.tar /x', holding(file)));
    expect(only?.name).toBe('x');
    expect(only?.content).toEqual(file);
  });

  test('--chown is for everything in it, --chmod for nothing', async () => {
    const found = await unpacked(SAMPLE, 'ADD --chown=7:8 --chmod=777 a.tar /x');
    expect(found).toEqual(SAMPLE_LINES.map((line) => line.replace(/ \d+:\d+ /, ' 7:8 ')));
  });

  test('a directory that is there is filled, and gets what the archive says', async () => {
    const root = rootOf(
      tar(
        { name: 'x/', type: '5', mode: 0o711, mtime: 9 },
        { name: 'x/d/', type: '5', mode: 0o711, mtime: 9 },
        { name: 'x/d/old', content: 'old' },
      ),
    );
    const archive = tar(
      { name: './', type: '5', mode: 0o700 },
      { name: './d/', type: '5', mode: 0o750 },
      { name: './d/f' },
    );
    expect(await unpacked(archive, 'ADD a.tar /x', { root })).toEqual([
      'x/ 711 0:0 9',
      `x/d/ 750 0:0 ${TIME}`,
      `x/d/f 644 0:0 ${TIME} ""`,
    ]);
  });

  test('directories that the archive does not mention are root’s', async () => {
    expect(await unpacked(tar({ name: 'a/b/f' }), 'ADD --chown=5 a.tar /x')).toEqual([
      'x/ 755 5:5 made',
      'x/a/ 755 0:0 made',
      'x/a/b/ 755 0:0 made',
      `x/a/b/f 644 5:5 ${TIME} ""`,
    ]);
  });

  test('files take the place of directories and directories that of files', async () => {
    const root = rootOf(tar({ name: 'x/d/', type: '5' }, { name: 'x/d/old', content: '' }, { name: 'x/f' }));
    const archive = tar({ name: 'd', content: 'file' }, { name: 'f/', type: '5' }, { name: 'f/in' });
    const bytes = await layer('ADD a.tar /x', { ...holding(archive), root });
    expect(readTar(bytes).map(shown)).toEqual([
      'x/ 755 0:0 made',
      `x/f/ 755 0:0 ${TIME}`,
      `x/f/in 644 0:0 ${TIME} ""`,
      `x/d 644 0:0 ${TIME} "file"`,
    ]);
  });

  test('a directory that takes the place of another one hides what that had', async () => {
    const root = rootOf(tar({ name: 'x/d/', type: '5' }, { name: 'x/d/old', content: '' }));
    const archive = tar({ name: 'd', content: 'file' }, { name: 'd/', type: '5' }, { name: 'd/new' });
    expect(await unpacked(archive, 'ADD a.tar /x', { root })).toEqual([
      'x/ 755 0:0 made',
      `x/d/ 755 0:0 ${TIME}`,
      'x/d/.wh..wh..opq 0 0:0 0 ""',
      `x/d/new 644 0:0 ${TIME} ""`,
    ]);
  });

  test('a hard link to a file that was there before takes it into the layer', async () => {
    const root = rootOf(
      tar({ name: 'x/', type: '5', mtime: 9 }, { name: 'x/old', content: 'old', mtime: 9 }),
    );
    expect(await unpacked(tar({ name: 'new', type: '1', link: 'old' }), 'ADD a.tar /x', { root })).toEqual([
      'x/ 755 0:0 made',
      `x/new 644 0:0 ${TIME} "old"`,
      `x/old hardlink 644 0:0 ${TIME} x/new`,
    ]);
  });

  test('sparse files stay sparse', async () => {
    const directory = temporaryDirectory();
    execFileSync('truncate', ['-s', '50M', join(directory, 'f')]);
    execFileSync('dd', [
      'if=/etc/passwd',
      `of=${directory}/f`,
      'conv=notrunc',
      'bs=512',
      'count=1',
      'status=none',
    ]);
    execFileSync('tar', ['-S', '-cf', join(directory, 'a.tar'), '-C', directory, 'f']);
    const bytes = await layer('ADD a.tar /x', { context: contextOf(directory) });
    const file = readTar(bytes).find(({ name }) => name === 'x/f');
    expect(file?.size).toBe(50 * 1024 ** 2);
    expect(bytes.length).toBeLessThan(100_000);
  });
});

describe('hostile archives', () => {
  test('names that lead up stay below the destination', async () => {
    const archive = tar(
      { name: '../../up', content: 'a' },
      { name: '/abs', content: 'b' },
      { name: 'd/../../in', content: 'c' },
    );
    expect(await unpacked(archive)).toEqual(
      [
        'x/ 755 0:0 made',
        `x/abs 644 0:0 ${TIME} "b"`,
        `x/in 644 0:0 ${TIME} "c"`,
        `x/up 644 0:0 ${TIME} "a"`,
      ].toSorted((one, other) => ORDER.indexOf(one.slice(0, 4)) - ORDER.indexOf(other.slice(0, 4))),
    );
  });

  /** The order of the archive. */
  const ORDER = ['x/ 7', 'x/up', 'x/ab', 'x/in'];

  test('links in the way are followed inside the destination only', async () => {
    const archive = tar(
      { name: 'l', type: '2', link: '/etc' },
      { name: 'l/f', content: 'a' },
      { name: 'u', type: '2', link: '../../../etc' },
      { name: 'u/g', content: 'b' },
    );
    const root = rootOf(tar({ name: 'etc/', type: '5' }, { name: 'etc/f', content: 'real' }));
    expect(await unpacked(archive, 'ADD a.tar /x', { root })).toEqual([
      'x/ 755 0:0 made',
      'x/etc/ 755 0:0 made',
      `x/l symlink 644 0:0 ${TIME} /etc`,
      `x/u symlink 644 0:0 ${TIME} ../../../etc`,
      `x/etc/f 644 0:0 ${TIME} "a"`,
      `x/etc/g 644 0:0 ${TIME} "b"`,
    ]);
  });

  test.each<[string, Buffer, string]>([
    [
      'a hard link out',
      tar({ name: 'h', type: '1', link: '../../etc/passwd' }),
      'link /etc/passwd /h: no such file or directory',
    ],
    [
      'a hard link to nothing',
      tar({ name: 'h', type: '1', link: 'nothing' }),
      'link /nothing /h: no such file or directory',
    ],
    [
      'a hard link to itself',
      tar({ name: 'h' }, { name: 'h', type: '1', link: 'h' }),
      'link /h /h: no such file or directory',
    ],
    [
      'a hard link to a directory',
      tar({ name: 'd/', type: '5' }, { name: 'h', type: '1', link: 'd' }),
      'link /d /h: operation not permitted',
    ],
    ['something below a file', tar({ name: 'f' }, { name: 'f/g' }), 'mkdir /f: not a directory'],
    ['links in circles', tar({ name: 'l', type: '2', link: 'l' }, { name: 'l/f' }), 'too many links'],
    ['a root that is a file', tar({ name: '/', content: '' }), 'unlinkat /: device or resource busy'],
    ['a whiteout', tar({ name: '.wh.f' }), '/.wh.f: a name that begins with .wh. cannot be in an image'],
    ['half an archive', SAMPLE.subarray(0, 1025), 'cannot unpack a.tar: it ends in the middle of an entry'],
    [
      'an unknown type',
      tar({ name: 'f' }, { name: 'g', type: 'Z' }),
      'cannot unpack a.tar: entry "g" is of unknown type "Z"',
    ],
    [
      'more than an image may hold',
      tar({ name: 'f' }, { name: 'bomb', size: 2 ** 32 - 1, pax: { size: String(2 ** 37) } }),
      'cannot unpack a.tar: it unpacks to more than 64 GiB',
    ],
  ])('%s is refused', async (_what, archive, message) => {
    await expect(unpacked(archive)).rejects.toMatchObject({ message, lines: { first: 2, last: 2 } });
  });

  test('damage behind the first entry is told', async () => {
    const archive = gzipSync(tar({ name: 'f', content: 'x'.repeat(300_000) }), { level: 0 });
    archive.fill(1, 200_000, 200_100);
    await expect(unpacked(archive.subarray(0, 250_000))).rejects.toThrow(
      'cannot unpack a.tar: its compressed data is damaged',
    );
  });
});

describe('what was fetched', () => {
  const fetched = (text: string, filename: string, mtime: number | null) => {
    const file = join(temporaryDirectory(), 'download');
    writeFileSync(file, text);
    return { remote: new Map([['https://x.test/f', { kind: 'file' as const, file, filename, mtime }]]) };
  };

  test('a URL is a file of mode 600 with the name and time of the server', async () => {
    expect(await lines('ADD https://x.test/f /d/', fetched('text', 'name.txt', 12))).toEqual([
      'd/ 755 0:0 made',
      'd/name.txt 600 0:0 12 "text"',
    ]);
    expect(await lines('ADD --chmod=644 --chown=3 https://x.test/f /f', fetched('text', 'n', null))).toEqual([
      'f 644 3:3 made "text"',
    ]);
  });

  test('an archive is unpacked only with --unpack', async () => {
    const given = fetched(SAMPLE.toString('latin1'), 'a.tar', 12);
    expect((await lines('ADD https://x.test/f /x/', given)).map((line) => line.slice(0, 8))).toEqual([
      'x/ 755 0',
      'x/a.tar ',
    ]);
    expect(await lines('ADD --unpack https://x.test/f /x', given)).toEqual(SAMPLE_LINES);
  });

  test('a repository’s files go into the destination', async () => {
    const directory = directoryOf({ 'a.txt': 'A', 'd/b': '755:B' });
    chmodSync(directory, 0o750);
    const remote = new Map([
      ['https://x.test/r.git', { kind: 'directory' as const, tree: contextOf(directory) }],
    ]);
    expect(await lines('ADD https://x.test/r.git /src', { remote })).toEqual([
      'src/ 750 0:0 source',
      'src/a.txt 644 0:0 source "A"',
      'src/d/ 755 0:0 source',
      'src/d/b 755 0:0 source "B"',
    ]);
  });
});
