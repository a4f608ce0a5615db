/** WORKDIR, and what `RUN --mount=type=bind` shows. */
import { describe, expect, test } from 'vitest';

import { planDirectory } from '../../../../src/build/transfer/plan-directory.ts';
import { selectForMount } from '../../../../src/build/transfer/select-for-mount.ts';
import type { SourceTree } from '../../../../src/build/tree/source-tree.ts';
import { readTar } from '../../images/layers/fixture/store.ts';
import { tar } from '../../images/layers/fixture/tar.ts';
import { contextOf, directoryOf, MADE_TIME, rootOf, shown, written } from './fixture/transfer.ts';

const BASE = tar(
  { name: 'app/', type: '5', mode: 0o700, uid: 3, mtime: 9 },
  { name: 'link', type: '2', link: 'app' },
  { name: 'file', content: '' },
  { name: 'etc/passwd', content: 'bob:x:1001:1002::/:/bin/sh\n' },
);

describe('WORKDIR', () => {
  test.each<[string, string, string[] | null]>([
    ['/', '', null],
    ['/app', 'bob', null],
    ['/link', '', null],
    ['/app/../app/', '', null],
    ['/new/dir', '', ['new/ 755 0:0 made', 'new/dir/ 755 0:0 made']],
    ['/link/in', 'bob', ['app/ 700 3:0 made', 'app/in/ 755 1001:1002 made']],
    ['/new', '5:6', ['new/ 755 5:6 made']],
  ])('%s with USER "%s"', async (path, owner, expected) => {
    const plan = await planDirectory(rootOf(BASE), path, owner, { time: MADE_TIME });
    expect(plan === null ? null : readTar(await written(plan)).map(shown)).toEqual(expected);
  });

  test('something that is no directory in the way is refused', async () => {
    await expect(planDirectory(rootOf(BASE), '/file/x', '')).rejects.toThrow('mkdir /file: not a directory');
    await expect(planDirectory(rootOf(BASE), '/file', '')).rejects.toThrow('mkdir /file: not a directory');
  });
});

describe('a bind mount', () => {
  const shownIn = async (source: SourceTree, path: string): Promise<[string | null, string[]]> => {
    const content = await selectForMount(source, path);
    const pieces: Buffer[] = [];
    for await (const piece of content.tar()) pieces.push(piece);
    return [content.single, readTar(Buffer.concat(pieces)).map(shown)];
  };

  test('of a directory has what is in it, of a file the file', async () => {
    const context = { 'd/a': 'A', 'd/in/b': '755:B', 'd/l': '->in', to: '->d/a' };
    const source = contextOf(directoryOf(context));
    expect(await shownIn(source, '/d')).toEqual([
      null,
      [
        'a 644 0:0 source "A"',
        'in/ 755 0:0 source',
        'in/b 755 0:0 source "B"',
        'l symlink 777 0:0 source in',
      ],
    ]);
    expect(await shownIn(source, 'to')).toEqual(['a', ['a 644 0:0 source "A"']]);
    expect((await shownIn(source, ''))[1]).toHaveLength(6);
  });

  test('of a stage', async () => {
    const source = rootOf(BASE, tar({ name: 'app/f', content: 'F', mtime: MADE_TIME }));
    expect(await shownIn(source, '/link')).toEqual([null, ['f 644 0:0 made "F"']]);
    expect((await selectForMount(source, '/')).contentDigest).toBe(source.identity);
  });

  test('of what is not there is refused', async () => {
    await expect(selectForMount(contextOf({}), '/nothing')).rejects.toThrow(
      'failed to compute cache key: failed to calculate checksum of ref context: "/nothing": not found',
    );
  });

  test('can be given up half way', async () => {
    const content = await selectForMount(contextOf({ f: 'x'.repeat(5_000_000) }), '/');
    for await (const piece of content.tar()) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    const stopped = new AbortController();
    stopped.abort(new Error('stopped'));
    const all = content.tar(stopped.signal);
    await expect(all[Symbol.asyncIterator]().next()).rejects.toThrow('stopped');
  });
});
