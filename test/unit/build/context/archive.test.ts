/** Contexts that come as archives: in each compression, with whatever is in them. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { extractArchive } from '../../../../src/build/context/extract-archive.ts';
import type { EntryAttributes } from '../../../../src/build/context/types.ts';
import { END, type Entry, tarEntries } from '../../../e2e/fixture/layer.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { pieces, refusal } from './fixture.ts';

interface Unpacked {
  directory: string;
  attributes: ReadonlyMap<string, EntryAttributes>;
  read: (path: string) => string;
}

async function unpack(archive: Buffer, signal = new AbortController().signal): Promise<Unpacked> {
  const directory = join(temporaryDirectory(), 'files');
  mkdirSync(directory);
  const env = { PATH: process.env['PATH'] };
  const attributes = await extractArchive(pieces(archive), directory, { env, signal });
  return { directory, attributes, read: (path) => readFileSync(join(directory, path), 'utf8') };
}

function archive(entries: readonly Entry[]): Buffer {
  return Buffer.concat([tarEntries(entries), END]);
}

function tarOf(make: (directory: string) => void, ...options: string[]): Buffer {
  const directory = temporaryDirectory();
  make(directory);
  return execFileSync('tar', ['-C', directory, ...options, '-cf', '-', '.'], { maxBuffer: 2 ** 30 });
}

describe('an archive that tar made', () => {
  test.each([
    ['plain', []],
    ['gzip', ['-z']],
    ['bzip2', ['-j']],
    ['xz', ['-J']],
    ['zstd', ['--zstd']],
  ])('is unpacked when it is %s', async (_form, options) => {
    const made = tarOf(
      (directory) => {
        mkdirSync(join(directory, 'sub'));
        writeFileSync(join(directory, 'sub/a'), 'a'.repeat(100_000));
        writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\n');
      },
      ...options,
    );
    const { read } = await unpack(made);
    expect(read('Dockerfile')).toBe('FROM scratch\n');
    expect(read('sub/a')).toBe('a'.repeat(100_000));
  });

  test('keeps times, links, hard links, long names and holes', async () => {
    const long = `${'n'.repeat(200)}/${'m'.repeat(200)}`;
    const made = tarOf((directory) => {
      mkdirSync(join(directory, 'n'.repeat(200)));
      writeFileSync(join(directory, long), 'long');
      utimesSync(join(directory, long), 1_000_000_000, 1_000_000_000);
      symlinkSync('../elsewhere', join(directory, 'link'));
      linkSync(join(directory, long), join(directory, 'again'));
      writeFileSync(join(directory, 'holes'), 'begin');
      truncateSync(join(directory, 'holes'), 50_000_000);
    }, '--sparse');
    const { directory, read } = await unpack(made);
    expect(read(long)).toBe('long');
    expect(statSync(join(directory, long)).mtimeMs).toBe(1_000_000_000_000);
    expect(statSync(join(directory, 'again')).ino).toBe(statSync(join(directory, long)).ino);
    expect(readlinkSync(join(directory, 'link'))).toBe('../elsewhere');
    const holes = statSync(join(directory, 'holes'));
    expect(holes.size).toBe(50_000_000);
    expect(holes.blocks).toBeLessThan(100);
    expect(readFileSync(join(directory, 'holes')).subarray(0, 6).toString()).toBe('begin\0');
  });

  test('keeps names that are no text', async () => {
    const made = tarOf((directory) => writeFileSync(Buffer.from(`${directory}/\xff\xe4`, 'latin1'), 'bytes'));
    const { directory, attributes } = await unpack(made);
    expect(readdirSync(directory, 'latin1')).toEqual(['\xff\xe4']);
    expect(attributes.get('\xff\xe4')?.mode).toBe(0o644);
  });
});

describe('attributes', () => {
  test('tell owners, permissions and extended attributes, which the files do not have', async () => {
    const { attributes, directory, read } = await unpack(
      archive([
        { path: 'd', mode: 0o1777, uid: 5, gid: 6 },
        { path: 'd/secret', content: 'x', mode: 0, uid: 1000, gid: 1000 },
        { path: 'd/tool', content: '', mode: 0o4755, xattrs: { 'user.a': 'b' } },
        { path: 'd/same', hardlink: 'd/secret' },
      ]),
    );
    expect(attributes).toEqual(
      new Map([
        ['d', { mode: 0o1777, uid: 5, gid: 6, xattrs: [] }],
        ['d/secret', { mode: 0, uid: 1000, gid: 1000, xattrs: [] }],
        ['d/tool', { mode: 0o4755, uid: 0, gid: 0, xattrs: [['user.a', 'b']] }],
        ['d/same', { mode: 0, uid: 1000, gid: 1000, xattrs: [] }],
      ]),
    );
    expect(read('d/secret')).toBe('x');
    // Set-ID bits are nothing for the host.
    expect(statSync(join(directory, 'd/tool')).mode & 0o7777).toBe(0o755);
    expect(statSync(join(directory, 'd')).mode & 0o7777).toBe(0o777);
  });

  test('of a directory that no entry names are the usual ones', async () => {
    const { attributes, directory } = await unpack(archive([{ path: 'a/b/c', content: '' }]));
    expect([...attributes.keys()]).toEqual(['a/b/c']);
    expect(statSync(join(directory, 'a/b')).mode & 0o7777).toBe(0o755);
  });
});

describe('a hostile archive', () => {
  test.each(['../x', '/x', 'a/../../x', './././../x'])('puts %s below the top', async (path) => {
    const { directory, read } = await unpack(archive([{ path, content: 'here' }]));
    expect(read('x')).toBe('here');
    expect(readdirSync(join(directory, '..'))).toEqual(['files']);
  });

  test('follows its own links as if the top were the root', async () => {
    const { directory, read } = await unpack(
      archive([
        { path: 'out', symlink: '/etc' },
        { path: 'up', symlink: '../../..' },
        { path: 'etc' },
        { path: 'out/passwd', content: 'not the host' },
        { path: 'up/top', content: 'top' },
        { path: 'to-be-made', symlink: 'made/later' },
        { path: 'to-be-made/file', content: 'later' },
      ]),
    );
    expect(read('etc/passwd')).toBe('not the host');
    expect(read('top')).toBe('top');
    expect(read('made/later/file')).toBe('later');
    expect(readdirSync(join(directory, '..'))).toEqual(['files']);
  });

  test('does not write through a link in the place of a file', async () => {
    const victim = join(temporaryDirectory(), 'victim');
    writeFileSync(victim, 'before');
    const { read } = await unpack(
      archive([
        { path: 'file', symlink: victim },
        { path: 'file', content: 'own' },
      ]),
    );
    expect(read('file')).toBe('own');
    expect(readFileSync(victim, 'utf8')).toBe('before');
  });

  test('gets no hard link to a file of the host', async () => {
    const message = await refusal(unpack(archive([{ path: 'shadow', hardlink: '/etc/passwd' }])));
    expect(message).toMatch(/^cannot unpack "shadow" of the context: ENOENT: no such file or directory/);
  });

  test('cannot lead in circles', async () => {
    const entries = [
      { path: 'a', symlink: 'b' },
      { path: 'b', symlink: 'a' },
      { path: 'a/x', content: '' },
    ];
    expect(await refusal(unpack(archive(entries)))).toBe('too many links on the way to "a"');
  });

  test('replaces what stands in the way, directories with all that is in them', async () => {
    const { directory, attributes, read } = await unpack(
      archive([
        { path: 'a' },
        { path: 'a/b/c', content: '1', uid: 7 },
        { path: 'a/link', symlink: '/etc' },
        { path: 'a', content: 'file' },
        { path: 'f', content: 'file' },
        { path: 'f' },
        { path: 'f/x', content: 'x' },
        { path: 'd' },
        { path: 'd/kept', content: 'k' },
        { path: 'd', mode: 0o700 },
      ]),
    );
    expect(read('a')).toBe('file');
    expect(read('f/x')).toBe('x');
    expect(read('d/kept')).toBe('k');
    expect([...attributes.keys()].toSorted()).toEqual(['a', 'd', 'd/kept', 'f', 'f/x']);
    expect(existsSync(join(directory, 'a/link'))).toBe(false);
    expect(attributes.get('d')?.mode).toBe(0o700);
  });

  test('is refused when a path is longer than the host can use', async () => {
    const path = [...Array.from({ length: 20 }, () => 'n'.repeat(200)), 'm'.repeat(60)].join('/');
    const make = (directory: string): void => writeFileSync(join(directory, 'f'), '');
    const made = tarOf(make, `--transform=s,f$,${path},`);
    expect(await refusal(unpack(made))).toMatch(/^the context has a path that is too long: "n{200}/);
  });

  test('is refused when it is cut off, damaged or none', async () => {
    const made = archive([{ path: 'a', content: 'a'.repeat(2000) }]);
    expect(await refusal(unpack(made.subarray(0, 1500)))).toBe(
      'the context is no sound archive: it ends in the middle of an entry',
    );
    expect(await refusal(unpack(Buffer.alloc(1024, 'x')))).toBe(
      'the context is no sound archive: it is no sound tar archive',
    );
    for (const option of ['-z', '-j', '-J', '--zstd']) {
      const packed = tarOf((directory) => writeFileSync(join(directory, 'f'), 'f'.repeat(5000)), option);
      expect(await refusal(unpack(packed.subarray(0, packed.length - 6)))).toMatch(
        /^the context cannot be unpacked: its compression is damaged/,
      );
    }
  });

  test('is refused when it claims to be too much', async () => {
    const huge = tarEntries([{ path: 'f', content: '' }]);
    huge.write('77777777777\0', 124, 'latin1');
    huge.fill(0x20, 148, 156);
    const sum = huge.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    huge.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    const twelve = Buffer.concat([huge, huge]);
    expect(await refusal(unpack(twelve))).toMatch(/^the context is no sound archive: /);
  });

  test('leaves no program behind when the build is given up', async () => {
    const controller = new AbortController();
    const packed = tarOf((directory) => writeFileSync(join(directory, 'f'), 'f'.repeat(5_000_000)), '-J');
    const directory = mkdtempSync(join(temporaryDirectory(), 'x'));
    async function* slow(): AsyncGenerator<Buffer> {
      yield packed.subarray(0, Math.floor(packed.length / 2));
      controller.abort(new Error('given up'));
      await new Promise(() => undefined);
    }
    const env = { PATH: process.env['PATH'] };
    const work = extractArchive(slow(), directory, { env, signal: controller.signal });
    expect(await refusal(work)).toBe('given up');
  });

  test('says which program is missing', async () => {
    const packed = tarOf((directory) => writeFileSync(join(directory, 'f'), 'f'), '-J');
    const directory = mkdtempSync(join(temporaryDirectory(), 'x'));
    const { signal } = new AbortController();
    const work = extractArchive(pieces(packed), directory, { env: { PATH: '/nonexistent' }, signal });
    expect(await refusal(work)).toBe('the context is compressed with xz, which is not installed');
  });
});

test('pipes and devices are left out', async () => {
  const made = tarOf((directory) => {
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    writeFileSync(join(directory, 'f'), '');
    chmodSync(join(directory, 'f'), 0o640);
  });
  const { directory, attributes } = await unpack(made);
  expect(readdirSync(directory)).toEqual(['f']);
  expect(attributes.get('f')?.mode).toBe(0o640);
});
