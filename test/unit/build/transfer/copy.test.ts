/** What COPY adds, entry by entry: the expectations are BuildKit's rules (fsutil's Copy, dockerfile2llb). */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { readTar } from '../../images/layers/fixture/store.ts';
import { tar } from '../../images/layers/fixture/tar.ts';
import {
  contextOf,
  directoryOf,
  type Files,
  type Given,
  layer,
  lines,
  planOf,
  rootOf,
  written,
} from './fixture/transfer.ts';

const CONTEXT: Files = {
  'a.txt': '640:A',
  'b.txt': 'B',
  'run.sh': '755:#!',
  'd/x': 'X',
  'd/in/y': '600:Y',
  'd/link': '->in/y',
  empty: null,
  to_a: '->a.txt',
  to_d: '->d',
};

const BASE = tar(
  { name: 'app/', type: '5', mode: 0o750, uid: 7, gid: 8, mtime: 100 },
  { name: 'app/old', content: 'old', mtime: 100 },
  { name: 'app/in/', type: '5', mode: 0o700, uid: 9, mtime: 100, pax: { 'SCHILY.xattr.user.k': 'v' } },
  { name: 'app/in/keep', content: 'keep', mtime: 100 },
  { name: 'link', type: '2', link: 'app', mtime: 100 },
  { name: 'file', content: 'f', mtime: 100 },
  { name: 'etc/', type: '5', mtime: 100 },
  { name: 'etc/passwd', content: 'root:x:0:0::/:/bin/sh\nbob:x:1001:1002::/:/bin/sh\n', mtime: 100 },
  { name: 'etc/group', content: 'root:x:0:\nstaff:x:50:bob\n', mtime: 100 },
);

function copied(line: string, given: Given = {}): Promise<string[]> {
  return lines(line, { context: CONTEXT, ...given });
}

describe('where files go', () => {
  test.each<[string, string[]]>([
    ['COPY a.txt /', ['a.txt 640 0:0 source "A"']],
    ['COPY a.txt /b', ['b 640 0:0 source "A"']],
    ['COPY a.txt /x/', ['x/ 755 0:0 made', 'x/a.txt 640 0:0 source "A"']],
    ['COPY a.txt /x/.', ['x/ 755 0:0 made', 'x/a.txt 640 0:0 source "A"']],
    ['COPY a.txt /x/y', ['x/ 755 0:0 made', 'x/y 640 0:0 source "A"']],
    ['COPY a.txt .', ['work/ 755 0:0 made', 'work/a.txt 640 0:0 source "A"']],
    ['COPY a.txt ""', ['work/ 755 0:0 made', 'work/a.txt 640 0:0 source "A"']],
    ['COPY a.txt ..', ['a.txt 640 0:0 source "A"']],
    ['COPY a.txt ../up', ['up 640 0:0 source "A"']],
    ['COPY a.txt ../../../../out', ['out 640 0:0 source "A"']],
    ['COPY a.txt b.txt x', ['work/ 755 0:0 made', 'work/x 644 0:0 source "B"']],
    ['COPY to_a /', ['to_a 640 0:0 source "A"']],
    ['COPY d/link /', ['link 600 0:0 source "Y"']],
    ['COPY ../a.txt ./../b.txt /', ['a.txt 640 0:0 source "A"', 'b.txt 644 0:0 source "B"']],
    ['COPY ["a.txt", "/with space"]', ['with space 640 0:0 source "A"']],
    ['COPY empty /x', ['x/ 755 0:0 source']],
    ['COPY *.nothing /x', []],
    ['COPY ?.txt /', ['a.txt 640 0:0 source "A"', 'b.txt 644 0:0 source "B"']],
    ['COPY [^b].txt /', ['a.txt 640 0:0 source "A"']],
    ['COPY **.txt /', ['a.txt 640 0:0 source "A"', 'b.txt 644 0:0 source "B"']],
    ['COPY */y /', []],
    ['COPY d/*/y /', ['y 600 0:0 source "Y"']],
    ['COPY to_d/*/y /', ['y 600 0:0 source "Y"']],
  ])('%s', async (line, expected) => {
    expect(await copied(line, { workdir: '/work' })).toEqual(expected);
  });

  const TREE = [
    'x/ 755 0:0 source',
    'x/in/ 755 0:0 source',
    'x/in/y 600 0:0 source "Y"',
    'x/link symlink 777 0:0 source in/y',
    'x/x 644 0:0 source "X"',
  ];

  test.each(['COPY d /x', 'COPY d /x/', 'COPY d/ /x', 'COPY ./d/. /x', 'COPY to_d /x'])(
    '%s: the contents, not the directory',
    async (line) => {
      expect(await copied(line)).toEqual(TREE);
    },
  );

  test('a directory that wildcards match is copied as its contents, too', async () => {
    expect(await copied('COPY d* /x')).toEqual(TREE);
  });

  test('a heredoc is called by its name unless the destination is a file', async () => {
    expect(await lines('COPY <<one <<"two" /x/\n1\none\n$2\ntwo', {})).toEqual([
      'x/ 755 0:0 made',
      'x/one 644 0:0 made "1\\n"',
      'x/two 644 0:0 made "$2\\n"',
    ]);
    expect(await lines('COPY --chmod=600 <<EOF /y\nhi\nEOF', {})).toEqual(['y 600 0:0 made "hi\\n"']);
  });
});

describe('what is there already', () => {
  test('a directory that is named keeps its attributes and gets the time of the source', async () => {
    expect(await copied('COPY d /app', { root: rootOf(BASE) })).toEqual([
      'app/ 750 7:8 source',
      'app/in/ 755 0:0 source',
      'app/in/y 600 0:0 source "Y"',
      'app/link symlink 777 0:0 source in/y',
      'app/x 644 0:0 source "X"',
    ]);
  });

  test('attributes that directories have beyond those of the source stay', async () => {
    const entries = await layer('COPY d /app', { context: CONTEXT, root: rootOf(BASE) });
    const inner = readTar(entries).find(({ name }) => name === 'app/in/');
    expect(inner?.xattrs).toEqual([['user.k', 'v']]);
  });

  test('a file into a directory: the directory changes now', async () => {
    expect(await copied('COPY a.txt /app', { root: rootOf(BASE) })).toEqual([
      'app/ 750 7:8 made',
      'app/a.txt 640 0:0 source "A"',
    ]);
  });

  test('links of the stage are followed, inside of it', async () => {
    const root = rootOf(BASE, tar({ name: 'out', type: '2', link: '../../../app' }));
    expect(await copied('COPY a.txt /link/old', { root })).toEqual([
      'app/ 750 7:8 made',
      'app/old 640 0:0 source "A"',
    ]);
    expect(await copied('COPY a.txt /out/', { root })).toEqual([
      'app/ 750 7:8 made',
      'app/a.txt 640 0:0 source "A"',
    ]);
  });

  test('a link in a directory is replaced, not followed, by a file of its name', async () => {
    const root = rootOf(BASE, tar({ name: 'app/a.txt', type: '2', link: '/file' }));
    expect(await copied('COPY a.txt /app/', { root })).toEqual([
      'app/ 750 7:8 made',
      'app/a.txt 640 0:0 source "A"',
    ]);
  });

  test('later sources see what earlier ones did', async () => {
    expect(await copied('COPY a.txt d /x/')).toEqual([
      'x/ 755 0:0 source',
      'x/a.txt 640 0:0 source "A"',
      'x/in/ 755 0:0 source',
      'x/in/y 600 0:0 source "Y"',
      'x/link symlink 777 0:0 source in/y',
      'x/x 644 0:0 source "X"',
    ]);
  });

  test.each<[string, string]>([
    ['COPY d /file', 'cannot copy to non-directory: /file'],
    ['COPY a.txt /file/x', 'mkdir /file: not a directory'],
    ['COPY a.txt /file/', 'mkdir /file: not a directory'],
    ['COPY d2 /app', 'cannot copy to non-directory: /app/old'],
    ['COPY d3 /app', 'cannot replace to directory /app/in with file'],
    ['COPY a.txt /loop/x', 'too many links'],
  ])('%s is refused', async (line, message) => {
    const context = { ...CONTEXT, 'd2/old/x': '', 'd3/in': '' };
    const root = rootOf(BASE, tar({ name: 'loop', type: '2', link: 'loop' }));
    await expect(layer(line, { context, root })).rejects.toMatchObject({
      message,
      lines: { first: 2, last: 2 },
    });
  });
});

describe('--chown and --chmod', () => {
  test.each<[string, string[]]>([
    ['COPY --chown=5 a.txt /x/', ['x/ 755 5:5 made', 'x/a.txt 640 5:5 source "A"']],
    ['COPY --chown=5:6 a.txt /y', ['y 640 5:6 source "A"']],
    ['COPY --chown=bob a.txt /y', ['y 640 1001:1002 source "A"']],
    ['COPY --chown=bob:staff a.txt /y', ['y 640 1001:50 source "A"']],
    ['COPY --chown=3:staff a.txt /y', ['y 640 3:50 source "A"']],
    ['COPY --chown=bob:root a.txt /y', ['y 640 1001:0 source "A"']],
    ['COPY --chown=nobody:nogroup a.txt /y', ['y 640 0:0 source "A"']],
    ['COPY --chmod=4711 a.txt /x/', ['x/ 711 0:0 made', 'x/a.txt 4711 0:0 source "A"']],
    ['COPY --chmod=a+x,u-w a.txt /x/', ['x/ 755 0:0 made', 'x/a.txt 551 0:0 source "A"']],
    ['COPY --chmod=go=u a.txt run.sh /', ['a.txt 666 0:0 source "A"', 'run.sh 777 0:0 source "#!"']],
    ['COPY --chmod=u=rwX,go=rX a.txt run.sh /', ['a.txt 644 0:0 source "A"', 'run.sh 755 0:0 source "#!"']],
    ['COPY --chmod=+t,g+s a.txt /', ['a.txt 3640 0:0 source "A"']],
    [
      'COPY --chmod=700 --chown=1 d /x',
      [
        'x/ 700 1:1 source',
        'x/in/ 700 1:1 source',
        'x/in/y 700 1:1 source "Y"',
        'x/link symlink 777 1:1 source in/y',
        'x/x 700 1:1 source "X"',
      ],
    ],
  ])('%s', async (line, expected) => {
    expect(await copied(line, { root: rootOf(BASE) })).toEqual(expected);
  });

  test('names come from the files of the last layer', async () => {
    const root = rootOf(BASE, tar({ name: 'etc/passwd', content: 'amy:x:31:32::/:/bin/sh\n' }));
    expect(await copied('COPY --chown=amy a.txt /y', { root })).toEqual(['y 640 31:32 source "A"']);
  });

  test.each<[string, Buffer, string]>([
    ['a directory', tar({ name: 'etc/passwd/', type: '5' }), '/etc/passwd is not a regular file'],
    ['a FIFO', tar({ name: 'etc/passwd', type: '6' }), '/etc/passwd is not a regular file'],
  ])('a user database that is %s is refused', async (_what, base, message) => {
    await expect(copied('COPY --chown=bob a.txt /y', { root: rootOf(base) })).rejects.toThrow(message);
  });
});

describe('--link', () => {
  test('nothing of the stage is looked at: directories are made, links in it are not followed', async () => {
    expect(await copied('COPY --link a.txt /link/', { root: rootOf(BASE) })).toEqual([
      'link/ 755 0:0 made',
      'link/a.txt 640 0:0 source "A"',
    ]);
  });

  test('the digest is the same on any stage', async () => {
    const digests = [rootOf(null), rootOf(BASE)].map(async (root) => {
      return (await planOf('COPY --link --chown=5 d /x', { context: CONTEXT, root })).contentDigest;
    });
    expect(new Set(await Promise.all(digests)).size).toBe(1);
  });

  test('owners cannot be names, as in BuildKit', async () => {
    await expect(copied('COPY --link --chown=bob a.txt /x', { root: rootOf(BASE) })).rejects.toThrow(
      'invalid user index: -1',
    );
  });

  test('with --chmod it counts for nothing, as in BuildKit', async () => {
    expect(await copied('COPY --link --chmod=600 a.txt /link/', { root: rootOf(BASE) })).toEqual([
      'app/ 750 7:8 made',
      'app/a.txt 600 0:0 source "A"',
    ]);
  });
});

describe('--parents (the cases of BuildKit’s own tests)', () => {
  const TREE: Files = {
    'test/a/b/c/d/foo': 'foo',
    'test/a/b/c/d/e/bay': 'bay',
    'test/a/b2/c/d/e/bar': 'bar',
    'test/a/b/c2/d/e/baz': 'baz',
    'test/a/b/c2/d/e2/baz': 'baz',
  };
  const paths = async (line: string): Promise<string[]> => {
    return (await lines(line, { context: TREE })).map((each) => each.split(' ')[0] ?? '');
  };

  test.each<[string, string[]]>([
    ['/test/a/b/./c/d', ['out/', 'out/c/', 'out/c/d/', 'out/c/d/e/', 'out/c/d/e/bay', 'out/c/d/foo']],
    [
      './test/a/b/c/d',
      'out/ out/test/ out/test/a/ out/test/a/b/ out/test/a/b/c/ out/test/a/b/c/d/ out/test/a/b/c/d/e/ out/test/a/b/c/d/e/bay out/test/a/b/c/d/foo'.split(
        ' ',
      ),
    ],
    [
      '/test/a/b/c/d/.',
      'out/ out/test/ out/test/a/ out/test/a/b/ out/test/a/b/c/ out/test/a/b/c/d/ out/test/a/b/c/d/e/ out/test/a/b/c/d/e/bay out/test/a/b/c/d/foo'.split(
        ' ',
      ),
    ],
    [
      '/test/a/./b/./c',
      ['out/', 'out/b/', 'out/b/c/', 'out/b/c/d/', 'out/b/c/d/e/', 'out/b/c/d/e/bay', 'out/b/c/d/foo'],
    ],
    [
      '/test/a/./*/c',
      'out/ out/b/ out/b/c/ out/b/c/d/ out/b/c/d/e/ out/b/c/d/e/bay out/b/c/d/foo out/b2/ out/b2/c/ out/b2/c/d/ out/b2/c/d/e/ out/b2/c/d/e/bar'.split(
        ' ',
      ),
    ],
    ['/test/a/b*/./c/**/e', 'out/ out/c/ out/c/d/ out/c/d/e/ out/c/d/e/bar out/c/d/e/bay'.split(' ')],
    [
      '/test/a/b/c*/./d/**/baz /test/a/b*/./c/**/bar',
      'out/ out/c/ out/c/d/ out/c/d/e/ out/c/d/e/bar out/d/ out/d/e/ out/d/e/baz out/d/e2/ out/d/e2/baz'.split(
        ' ',
      ),
    ],
    ['/test/a/b2*/nothing', ['out/']],
  ])('%s', async (sources, expected) => {
    expect(await paths(`COPY --parents ${sources} /out/`)).toEqual(expected);
  });

  test('what is named and is not there is an error', async () => {
    await expect(paths('COPY --parents /test/nonexistent-file /out/')).rejects.toThrow(
      'failed to compute cache key: failed to calculate checksum of ref context: "/test/nonexistent-file": not found',
    );
  });
});

describe('--exclude', () => {
  test.each<[string, string[]]>([
    ['COPY --exclude=*.md d /x', ['x/', 'x/b.txt', 'x/s/', 'x/s/c.md', 'x/s/d.txt']],
    ['COPY --exclude=**/*.md d /x', ['x/', 'x/b.txt', 'x/s/', 'x/s/d.txt']],
    ['COPY --exclude=s d /x', ['x/', 'x/a.md', 'x/b.txt']],
    ['COPY --exclude=s --exclude=!s/c.md d /x', ['x/', 'x/a.md', 'x/b.txt', 'x/s/', 'x/s/c.md']],
    ['COPY --exclude=* d* /x', ['x/']],
    // It is about what is inside of a source, not about the source.
    ['COPY --exclude=a.md d/a.md /x', ['x']],
  ])('%s', async (line, expected) => {
    const context = { 'd/a.md': '', 'd/b.txt': '', 'd/s/c.md': '', 'd/s/d.txt': '' };
    const found = (await lines(line, { context })).map((each) => each.split(' ')[0]);
    expect(found).toEqual(expected);
  });
});

describe('sources that are not there', () => {
  test.each<[string, string]>([
    ['COPY nothing /', '"/nothing": not found'],
    ['COPY ../nothing /', '"/nothing": not found'],
    ['COPY a.txt/x /', '"/a.txt/x": not found'],
    ['COPY out /', '"/out": not found'],
    ['COPY up /', '"/up": not found'],
    ['COPY loop /', 'too many links'],
    ['COPY ou* /', '"/out": not found'],
    ['COPY [a /', 'syntax error in pattern'],
  ])('%s', async (line, reason) => {
    const context = { ...CONTEXT, out: '->/etc/passwd', up: '->../../../../etc/passwd', loop: '->loop' };
    await expect(layer(line, { context })).rejects.toMatchObject({
      message: `failed to compute cache key: failed to calculate checksum of ref context: ${reason}`,
      lines: { first: 2, last: 2 },
    });
  });

  test('wildcards in a directory that is not there', async () => {
    await expect(copied('COPY nothing/* /')).rejects.toThrow('lstat /nothing: no such file or directory');
  });
});

describe('hostile and odd contexts', () => {
  test('a link out of the context leads into it', async () => {
    const context = { 'etc/passwd': 'mine', abs: '->/etc/passwd', up: '->../../../etc', deep: '->up/passwd' };
    expect(await lines('COPY abs deep /', { context })).toEqual([
      'abs 644 0:0 source "mine"',
      'deep 644 0:0 source "mine"',
    ]);
    expect(await lines('COPY up /x/', { context })).toEqual([
      'x/ 755 0:0 source',
      'x/passwd 644 0:0 source "mine"',
    ]);
  });

  test('a directory that becomes a link to elsewhere meanwhile is not followed', async () => {
    const directory = directoryOf({ 'd/f': 'inside', 'e/g': 'g' });
    const outside = directoryOf({ f: 'outsid' });
    // Only one directory is open at a time: that of `e` now.
    const plan = await planOf('COPY d e/g /x/', { source: contextOf(directory) });
    renameSync(join(directory, 'd'), join(directory, 'moved'));
    execFileSync('ln', ['-s', outside, join(directory, 'd')]);
    await expect(written(plan)).rejects.toThrow('"d/f" was changed while it was copied');
  });

  test('a file that changes between digest and layer is noticed', async () => {
    const directory = directoryOf({ f: 'one' });
    const plan = await planOf('COPY f /', { source: contextOf(directory) });
    writeFileSync(join(directory, 'f'), 'two');
    await expect(written(plan)).rejects.toThrow('"f" was changed while it was copied');
  });

  test('a FIFO stays one, a socket is an empty file', async () => {
    const directory = directoryOf({ 'd/f': 'f' });
    execFileSync('mkfifo', ['-m', '600', join(directory, 'd/p')]);
    execFileSync('python3', [
      '-c',
      `import socket,os; os.chdir(${JSON.stringify(join(directory, 'd'))}); socket.socket(socket.AF_UNIX).bind("s"); os.chmod("s", 0o755)`,
    ]);
    const found = await lines('COPY d/ /', { source: contextOf(directory) });
    expect(found).toEqual([
      'f 644 0:0 source "f"',
      expect.stringMatching(/^p fifo 600 0:0 \d+$/),
      expect.stringMatching(/^s 755 0:0 \d+ ""$/),
    ]);
  });

  test('names of any bytes', async () => {
    const directory = directoryOf({ 'd/ü\n"\\*': 'x' });
    writeFileSync(Buffer.from(`${directory}/d/\u00ff\u00fe`, 'latin1'), 'y');
    const found = await lines('COPY d /x', { source: contextOf(directory) });
    expect(found.map((each) => each.split(' 644')[0])).toEqual([
      expect.stringMatching(/^x\//),
      `x/${Buffer.from('ü\n"\\*').toString('latin1')}`,
      'x/\u00ff\u00fe',
    ]);
    expect(await lines('COPY ["d/ü*", "/y"]', { source: contextOf(directory) })).toEqual([
      'y 644 0:0 source "x"',
    ]);
  });

  test('a name that a layer would read as a whiteout is refused', async () => {
    await expect(lines('COPY . /x', { context: { '.wh.f': '' } })).rejects.toThrow(
      '/.wh.f: a name that begins with .wh. cannot be in an image',
    );
  });

  test('hard links of the source stay hard links, in one source', async () => {
    const directory = directoryOf({ 'd/a': 'one' });
    linkSync(join(directory, 'd/a'), join(directory, 'd/b'));
    execFileSync('touch', ['-d', '@1600000000', join(directory, 'd')]);
    const source = contextOf(directory);
    expect(await lines('COPY d /x', { source })).toEqual([
      'x/ 755 0:0 source',
      'x/a 644 0:0 source "one"',
      'x/b hardlink 644 0:0 source x/a',
    ]);
    expect(await lines('COPY d/a d/b /', { source })).toEqual([
      'a 644 0:0 source "one"',
      'b 644 0:0 source "one"',
    ]);
  });

  test('a context that is gone', async () => {
    const directory = mkdtempSync('/tmp/a3s-test-');
    rmSync(directory, { recursive: true });
    await expect(lines('COPY . /x', { source: contextOf(directory) })).rejects.toThrow('ENOENT');
  });
});

describe('.dockerignore', () => {
  const FILES = { a: '', 'm/b': '', 'm/keep': '', 'm/n/c': '', 'm/n/keep': '', 'z/y': '' };

  test.each<[string[], string[]]>([
    [[], ['a', 'm/', 'm/b', 'm/keep', 'm/n/', 'm/n/c', 'm/n/keep', 'z/', 'z/y']],
    [['m'], ['a', 'z/', 'z/y']],
    [
      ['m', '!m/keep'],
      ['a', 'm/', 'm/keep', 'z/', 'z/y'],
    ],
    [
      ['**', '!**/keep'],
      ['m/', 'm/keep', 'm/n/', 'm/n/keep'],
    ],
    [
      ['*', '!m', 'm/n'],
      ['m/', 'm/b', 'm/keep'],
    ],
    [
      ['m/*', '!m/n/keep'],
      ['a', 'm/', 'm/n/', 'm/n/keep', 'z/', 'z/y'],
    ],
    [['z/y'], ['a', 'm/', 'm/b', 'm/keep', 'm/n/', 'm/n/c', 'm/n/keep', 'z/']],
  ])('%j', async (patterns, expected) => {
    const source = contextOf(directoryOf(FILES), patterns);
    expect((await lines('COPY . /', { source })).map((each) => each.split(' ')[0])).toEqual(expected);
  });

  test('what is ignored is not there', async () => {
    await expect(lines('COPY a /', { source: contextOf(directoryOf(FILES), ['a']) })).rejects.toThrow(
      '"/a": not found',
    );
  });
});

describe('the digest', () => {
  const digest = async (line: string, given: Given = {}): Promise<string> => {
    return (await planOf(line, { context: CONTEXT, ...given })).contentDigest;
  };

  test('is the same for equal files, whatever their times', async () => {
    const directory = directoryOf(CONTEXT);
    execFileSync('find', [directory, '-exec', 'touch', '-h', '-d', '@5', '{}', '+']);
    expect(await digest('COPY . /x', { source: contextOf(directory) })).toBe(await digest('COPY . /x'));
  });

  test.each<[string, Files]>([
    ['content', { ...CONTEXT, 'd/in/y': '600:Z' }],
    ['mode', { ...CONTEXT, 'd/in/y': '601:Y' }],
    ['name', { ...CONTEXT, 'd/in/z': '600:Y' }],
    ['link', { ...CONTEXT, 'd/link': '->in/z' }],
    ['another file', { ...CONTEXT, 'd/more': '' }],
  ])('tells another %s', async (_what, context) => {
    expect(await digest('COPY d /x', { context })).not.toBe(await digest('COPY d /x'));
  });

  test('does not depend on files that are not copied', async () => {
    const context = { ...CONTEXT, 'b.txt': 'other' };
    expect(await digest('COPY d a.txt /x/', { context })).toBe(await digest('COPY d a.txt /x/'));
  });

  test.each([
    ['COPY a.txt /x', 'COPY a.txt /y'],
    ['COPY a.txt /x', 'COPY --chown=1 a.txt /x'],
    ['COPY a.txt /x', 'COPY --chmod=600 a.txt /x'],
    ['COPY a.txt /x', 'COPY --link a.txt /x'],
    ['COPY a.txt /x', 'ADD a.txt /x'],
    ['COPY a.txt /x', 'COPY a.txt /x/'],
  ])('%s is not %s', async (one, other) => {
    expect(await digest(one)).not.toBe(await digest(other));
  });
});

test('layers of equal files are equal bytes, and no entry is newer than SOURCE_DATE_EPOCH', async () => {
  const at = async (time: number): Promise<Buffer> => {
    const plan = await planOf('COPY d a.txt /x/y/', { context: CONTEXT, time });
    return written(plan, 1_500_000_000);
  };
  const one = await at(1_900_000_000);
  expect(await at(2_000_000_000)).toEqual(one);
  expect(new Set(readTar(one).map(({ mtime }) => mtime))).toEqual(new Set([1_500_000_000]));
});
