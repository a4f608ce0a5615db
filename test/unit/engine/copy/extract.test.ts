/** Archives that a hostile box sends; and that what is packed here comes out the same. */
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  linkSync,
  chmodSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { openTop } from '../../../../src/confined.ts';
import { extractor, type ExtractOptions } from '../../../../src/engine/copy/extract.ts';
import { pack } from '../../../../src/engine/copy/pack.ts';
import { END, tarEntries, type Entry } from '../../../e2e/fixture/layer.ts';
import { temporaryDirectory } from '../../../temporary.ts';

interface Place {
  top: string;
  inside: string;
  outside: string;
  extract(archive: Buffer, options?: Partial<ExtractOptions>): void;
}

function place(): Place {
  const top = temporaryDirectory();
  const [inside, outside] = [join(top, 'inside'), join(top, 'outside')];
  for (const directory of [inside, outside]) mkdirSync(directory);
  return {
    top,
    inside,
    outside,
    extract(archive, options = {}) {
      const directory = openTop(inside);
      try {
        using files = extractor(directory, { owners: false, rename: null, notify: () => {}, ...options });
        for (let at = 0; at < archive.length; at += 1000) files.reader.push(archive.subarray(at, at + 1000));
        files.finish();
      } finally {
        closeSync(directory);
      }
    },
  };
}

function archive(entries: readonly Entry[]): Buffer {
  return Buffer.concat([tarEntries(entries), END]);
}

describe('an archive of a hostile box', () => {
  test.each<[string, (at: Place) => Entry[]]>([
    [
      'through a link of its own',
      ({ outside }) => [
        { path: 'x', symlink: outside },
        { path: 'x/f', content: '1' },
      ],
    ],
    [
      'through a relative link',
      () => [
        { path: 'x', symlink: '../outside' },
        { path: 'x/f', content: '1' },
      ],
    ],
    ['by ..', () => [{ path: '../outside/f', content: '1' }]],
    ['by .. in the middle', () => [{ path: 'a/../../outside/f', content: '1' }]],
    [
      'through a hard link by way of a link',
      ({ outside }) => [
        { path: 'x', symlink: outside },
        { path: 'f', hardlink: 'x/secret' },
      ],
    ],
    ['by a hard link with ..', () => [{ path: 'f', hardlink: '../outside/secret' }]],
  ])('does not get out %s', (_way, entries) => {
    const at = place();
    writeFileSync(join(at.outside, 'secret'), 's');
    expect(() => at.extract(archive(entries(at)))).toThrow(/leads out of the destination|is no directory/);
    expect(readdirSync(at.outside)).toEqual(['secret']);
    expect(existsSync(join(at.inside, 'f'))).toBe(false);
  });

  test('replaces a link in the way of a file, and what it leads to stays', () => {
    const at = place();
    writeFileSync(join(at.outside, 'f'), 'kept');
    symlinkSync(join(at.outside, 'f'), join(at.inside, 'f'));
    at.extract(archive([{ path: 'f', content: 'new' }]));
    expect(readFileSync(join(at.outside, 'f'), 'utf8')).toBe('kept');
    expect(readFileSync(join(at.inside, 'f'), 'utf8')).toBe('new');
  });

  test('writes at its own absolute paths only below the destination', () => {
    const at = place();
    at.extract(archive([{ path: '/etc/a3s', content: '1' }]));
    expect(readFileSync(join(at.inside, 'etc/a3s'), 'utf8')).toBe('1');
  });

  test('replaces no directory by a file, nor the other way round', () => {
    const at = place();
    mkdirSync(join(at.inside, 'd'));
    writeFileSync(join(at.inside, 'f'), '');
    expect(() => at.extract(archive([{ path: 'd', content: '1' }]))).toThrow(
      'cannot overwrite directory "d" with non-directory "d"',
    );
    expect(() => at.extract(archive([{ path: 'f' }]))).toThrow(
      'cannot overwrite non-directory "f" with directory "f"',
    );
  });

  test('that breaks off is refused', () => {
    const at = place();
    const whole = archive([{ path: 'f', content: 'x'.repeat(2000) }]);
    expect(() => at.extract(whole.subarray(0, 1024))).toThrow('it ends in the middle of an entry');
  });
});

test('a renamed archive renames hard links, too', () => {
  const at = place();
  const entries = [{ path: 'old' }, { path: 'old/a', content: '1' }, { path: 'old/b', hardlink: 'old/a' }];
  at.extract(archive(entries), { rename: { from: 'old', to: 'new' } });
  expect(statSync(join(at.inside, 'new/a')).ino).toBe(statSync(join(at.inside, 'new/b')).ino);
});

test('what is packed comes out the same: modes, times, links, holes, odd names', async () => {
  const at = place();
  const source = join(at.top, 'tree');
  mkdirSync(join(source, 'deep', 'x'.repeat(120)), { recursive: true });
  const odd = Buffer.from(`${source}/\u00ff`, 'latin1');
  writeFileSync(odd, 'bytes');
  for (const name of [' a b', '-f', 'line\nbreak', 'ü', 'empty'])
    writeFileSync(join(source, name), name === 'empty' ? '' : name);
  writeFileSync(join(source, 'large'), Buffer.alloc(100_000, 'ab'));
  writeFileSync(join(source, 'sparse'), 'start');
  truncateSync(join(source, 'sparse'), 10_000_000);
  linkSync(join(source, 'large'), join(source, 'deep', 'second'));
  symlinkSync('/no/where', join(source, 'dangling'));
  chmodSync(join(source, '-f'), 0o4711);
  utimesSync(join(source, 'empty'), 1000, 1000);
  chmodSync(join(source, 'deep'), 0o500);
  onTestFinished(() => {
    for (const tree of [source, join(at.inside, 'tree')]) chmodSync(join(tree, 'deep'), 0o700);
  });
  const directory = openTop(at.top);
  const pieces: Buffer[] = [];
  // A piece is good until the next is asked for.
  for await (const piece of pack(directory, 'tree', { title: 'tree', owners: true })) {
    pieces.push(Buffer.from(piece));
  }
  closeSync(directory);
  at.extract(Buffer.concat(pieces), { owners: true });
  expect(listing(join(at.inside, 'tree'))).toEqual(listing(source));
  expect(statSync(join(at.inside, 'tree/sparse')).blocks).toBeLessThan(100);
  expect(statSync(join(at.inside, 'tree/large')).nlink).toBe(2);
  expect(readFileSync(Buffer.from(`${at.inside}/tree/\u00ff`, 'latin1'), 'utf8')).toBe('bytes');
});

/** Every entry below a directory, with all that a copy keeps. */
function listing(directory: string): unknown[] {
  return readdirSync(directory, 'latin1').flatMap((name) => {
    const path = Buffer.from(`${directory}/`, 'utf8');
    const full = Buffer.concat([path, Buffer.from(name, 'latin1')]);
    const stat = lstatSync(full);
    const entry = [name, stat.mode, stat.uid, stat.gid, Math.floor(stat.mtimeMs / 1000)];
    if (stat.isDirectory()) return [entry, ...listing(full.toString())];
    return [[...entry, stat.isSymbolicLink() ? readlinkSync(full) : readFileSync(full, 'latin1')]];
  });
}
