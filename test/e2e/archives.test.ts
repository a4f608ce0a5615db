/** `save`, `load` and `import`, with skopeo and GNU tar as the other tools. Each test has a store of its own; only the last run boxes. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk, type Outcome } from './fixture/cli.ts';

boxesOf('archive');

const BASE_NAME = 'a3s/base:latest';
let directory: string;
let homes = 0;

beforeAll(() => {
  directory = mkdtempSync('/tmp/a3s-archives-');
});
afterAll(() => rmSync(directory, { recursive: true }));

interface Store {
  home: string;
  run(args: readonly string[], stdin?: Buffer): Promise<Outcome>;
  ok(...args: string[]): Promise<string>;
  /** Bytes that come out on stdout. */
  bytes(...args: string[]): Promise<Buffer>;
}

function newStore(): Store {
  homes += 1;
  const home = join(directory, `home-${homes}`);
  const env = { A3S_HOME: home };
  const run: Store['run'] = (args, stdin) => a3s(args, { env, ...(stdin === undefined ? {} : { stdin }) });
  return {
    home,
    run,
    ok: (...args) => a3sOk(args, { env }),
    async bytes(...args) {
      const { status, stdout, err } = await run(args);
      expect({ status, err }).toEqual({ status: 0, err: '' });
      return stdout;
    },
  };
}

function file(name: string): string {
  return join(directory, name);
}

/** What the store holds of the image: its names do not count. */
async function contentOf(store: Store, name: string): Promise<unknown> {
  return JSON.parse(await store.ok('image', 'inspect', '-f', '{{json .RootFS}} ', name));
}

describe('save', () => {
  test('writes an archive that docker, skopeo and a layout reader understand, the same bytes each time', async () => {
    const store = newStore();
    const archive = await store.bytes('save', 'a3s/base');
    expect(await store.bytes('image', 'save', BASE_NAME)).toEqual(archive);
    writeFileSync(file('base.tar'), archive);
    const names = execFileSync('tar', ['tf', file('base.tar')])
      .toString()
      .trim()
      .split('\n');
    expect(names.filter((name) => !/^blobs\/sha256\/./.test(name))).toEqual([
      'blobs/',
      'blobs/sha256/',
      'index.json',
      'manifest.json',
      'oci-layout',
      'repositories',
    ]);
    const id = await store.ok('image', 'inspect', '-f', '{{.Id}}', 'a3s/base');
    for (const form of ['docker-archive', 'oci-archive']) {
      const config = execFileSync('skopeo', ['inspect', '--raw', '--config', `${form}:${file('base.tar')}`]);
      expect(`sha256:${execFileSync('sha256sum', { input: config }).toString().slice(0, 64)}`).toBe(id);
    }
  });

  test('-o makes the file when it is whole, and only then', async () => {
    const store = newStore();
    expect(await store.run(['save', '-o', file('out.tar'), 'a3s/base'])).toMatchObject({
      status: 0,
      out: '',
      err: '',
    });
    expect(readFileSync(file('out.tar'))).toEqual(await store.bytes('save', 'a3s/base'));
    const failed = await store.run(['save', '-o', file('none.tar'), 'a3s/base', 'nosuch']);
    expect(failed).toMatchObject({
      status: 1,
      out: '',
      err: 'Error response from daemon: No such image: nosuch\n',
    });
    const missing = await store.run(['save', '-o', '/nosuch/x.tar', 'a3s/base']);
    expect(missing).toMatchObject({
      status: 1,
      err: 'invalid output path: directory "/nosuch" does not exist\n',
    });
    expect(readdirSync(directory).filter((name) => name.startsWith('none.tar'))).toEqual([]);
  });

  test('of a damaged image says which blob, and leaves no file', async () => {
    const store = newStore();
    await store.ok('images');
    const blobs = join(store.home, 'images/blobs/sha256');
    const largest = readdirSync(blobs).toSorted(
      (a, b) => statSync(join(blobs, b)).size - statSync(join(blobs, a)).size,
    )[0];
    const path = join(blobs, largest ?? '');
    const bytes = readFileSync(path);
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const { status, err } = await store.run(['save', '-o', file('damaged.tar'), 'a3s/base']);
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringContaining(`the image is damaged: blob sha256:${largest} was altered`),
    });
    expect(existsSync(file('damaged.tar'))).toBe(false);
  });
});

describe('load', () => {
  test('takes in what save wrote, through a pipe, several images and their names', async () => {
    const [from, to] = [newStore(), newStore()];
    await from.ok('tag', 'a3s/base', 'two/names:1');
    const archive = await from.bytes('save', 'two/names:1', 'a3s/base');
    const { status, out, err } = await to.run(['load'], archive);
    expect({ status, out, err }).toEqual({
      status: 0,
      out: 'Loaded image: two/names:1\nLoaded image: a3s/base:latest\n',
      err: '',
    });
    expect(await to.bytes('save', 'two/names:1', 'a3s/base')).toEqual(archive);
  });

  test.each([
    ['gzip', (name: string) => execFileSync('gzip', ['-kf', name])],
    ['zstd', (name: string) => execFileSync('zstd', ['-qf', name])],
  ])('takes an archive compressed by %s', async (_kind, compress) => {
    const [from, to] = [newStore(), newStore()];
    await from.ok('save', '-o', file('packed.tar'), 'a3s/base');
    compress(file('packed.tar'));
    const packed = readdirSync(directory).find((name) => name.startsWith('packed.tar.')) ?? '';
    expect(await to.ok('load', '-i', file(packed))).toBe('Loaded image: a3s/base:latest');
    rmSync(file(packed));
  });

  test.each(['docker-archive', 'oci-archive'])("takes skopeo's %s", async (form) => {
    const [from, to] = [newStore(), newStore()];
    await from.ok('save', '-o', file('ours.tar'), 'a3s/base');
    const theirs = file(`${form}.tar`);
    execFileSync('skopeo', ['copy', '-q', `oci-archive:${file('ours.tar')}`, `${form}:${theirs}:sko/peo:9`]);
    expect(await to.ok('load', '-q', '-i', theirs)).toBe('Loaded image: sko/peo:9');
    expect(await contentOf(to, 'sko/peo:9')).toEqual(await contentOf(from, 'a3s/base'));
  });

  test('of a name that another image has leaves that one without a name', async () => {
    const store = newStore();
    const archive = await store.bytes('save', 'a3s/base');
    writeFileSync(file('root.tar'), tarOf({ 'etc/motd': 'hello' }));
    const id = await store.ok('import', file('root.tar'), 'a3s/other');
    await store.ok('tag', 'a3s/base', 'a3s/kept');
    await store.ok('tag', 'a3s/other', 'x:1');
    const named = await store.bytes('save', 'x:1');
    await store.ok('tag', 'a3s/base', 'x:1');
    const base = await store.ok('image', 'inspect', '-f', '{{.Id}}', 'a3s/base');
    const { status, out } = await store.run(['load'], named);
    expect({ status, out }).toEqual({
      status: 0,
      out: `The image x:1 already exists, renaming the old one with ID ${base} to empty string\nLoaded image: x:1\n`,
    });
    expect(await store.ok('image', 'inspect', '-f', '{{.Id}}', 'x:1')).toBe(id);
    expect(archive.length).toBeGreaterThan(1_000_000);
  });

  test('of an image without a name tells its ID', async () => {
    const [from, to] = [newStore(), newStore()];
    const id = await from.ok('image', 'inspect', '-f', '{{.Id}}', 'a3s/base');
    const { out } = await to.run(['load'], await from.bytes('save', id));
    expect(out).toBe(`Loaded image ID: ${id}\n`);
  });

  test.each<[string, () => Buffer, string]>([
    [
      'nothing',
      () => Buffer.alloc(0),
      'the archive holds no image: it has neither index.json nor manifest.json',
    ],
    ['no tar', () => Buffer.alloc(2048, 'x'), 'cannot read the archive: it is no sound tar archive'],
    [
      'a root filesystem',
      () => tarOf({ 'etc/motd': 'x' }),
      'the archive holds no image: it has neither index.json nor manifest.json',
    ],
    ['bad JSON', () => tarOf({ 'manifest.json': '{' }), 'manifest.json is not JSON'],
    ['no images', () => tarOf({ 'manifest.json': '[]' }), 'the archive holds no image'],
    [
      'a missing layer',
      () => tarOf({ 'manifest.json': '[{"Config":"c","Layers":["l"]}]', c: '{}' }),
      'the archive lacks what manifest.json[0].Layers names',
    ],
    [
      'names out of the archive',
      () => tarOf({ 'manifest.json': '[{"Config":"../../../etc/passwd","Layers":[]}]' }),
      'the archive lacks what manifest.json[0].Config names',
    ],
    [
      'a bad name',
      () => tarOf({ 'manifest.json': '[{"Config":"c","RepoTags":["UPPER:1"],"Layers":[]}]', c: '{}' }),
      'invalid reference format: repository name (library/UPPER) must be lowercase',
    ],
  ])('of %s is refused, and nothing stays', async (_what, archive, message) => {
    const store = newStore();
    const { status, out, err } = await store.run(['load'], archive());
    expect({ status, out, err }).toEqual({ status: 1, out: '', err: expect.stringContaining(message) });
    expect(err.trim().split('\n').length).toBeLessThanOrEqual(2);
    expectNothingIn(store);
  });

  test('of an archive cut short is refused wherever it ends', async () => {
    const store = newStore();
    const archive = await newStore().bytes('save', 'a3s/base');
    for (const length of [100, 1500, 600_000, archive.length - 9000]) {
      const { status, err } = await store.run(['load'], archive.subarray(0, length));
      expect({ length, status, err }).toEqual({ length, status: 1, err: expect.stringContaining('archive') });
    }
    expect(existsSync(join(store.home, 'images/index.json'))).toBe(false);
  });

  test('of a file that is not there says so as docker does', async () => {
    expect(await newStore().run(['load', '-i', 's.tar'])).toMatchObject({
      status: 1,
      out: '',
      err: 'open s.tar: no such file or directory\n',
    });
  });
});

describe('import', () => {
  test('makes an image of a tar, configured by changes, and it runs', async () => {
    const root = file('root');
    mkdirSync(join(root, 'bin'), { recursive: true });
    execFileSync('cp', ['/bin/busybox', join(root, 'bin/busybox')]);
    const tar = execFileSync('tar', ['c', '-C', root, '.'], { maxBuffer: 2 ** 26 });
    const changes = [
      '-c',
      'ENV A=1 B="2 3"',
      '-c',
      'ENTRYPOINT ["/bin/busybox"]',
      '-c',
      'CMD ["sh","-c","echo $A-$B"]',
    ];
    const imported = await a3s(['import', '-m', 'by hand', ...changes, '-', 'imported:1'], { stdin: tar });
    expect(imported).toMatchObject({
      status: 0,
      err: '',
      out: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/),
    });
    try {
      expect(await a3sOk(['run', '--rm', 'imported:1'])).toBe('1-2 3');
      expect(await a3sOk(['history', '--format', '{{.CreatedBy}}|{{.Comment}}', 'imported:1'])).toBe(
        '|by hand',
      );
    } finally {
      await a3sOk(['rmi', '-f', 'imported:1']);
    }
  });

  test.each<[string[], string]>([
    [['-c', 'RUN x', '-', 'a'], 'run is not a valid change command'],
    [['-c', 'ENV', '-', 'a'], 'ENV requires at least one argument'],
    [['-', 'A'], 'invalid reference format: repository name (library/A) must be lowercase'],
    [['--platform', 'x/y/z/w', '-'], 'unknown operating system or architecture'],
    [['/nosuch.tar'], 'open /nosuch.tar: no such file or directory'],
    [['-'], 'it is no sound tar archive'],
    [['http://ann:secret@127.0.0.1:1/root.tar'], 'connection refused'],
    [['/'], 'read /: is a directory'],
  ])('%j is refused, and nothing stays', async (words, message) => {
    const store = newStore();
    const { status, out, err } = await store.run(['import', ...words], Buffer.alloc(1024, 'x'));
    expect({ status, out, err }).toEqual({ status: 1, out: '', err: expect.stringContaining(message) });
    expect(err).not.toContain('secret');
    expectNothingIn(store);
  });

  test('takes what a server has, after a redirect, without its password in the history', async () => {
    const tar = tarOf({ 'etc/motd': 'hello' });
    const asked: (string | undefined)[] = [];
    await using server = await serve((request, response) => {
      asked.push(request.headers.authorization);
      if (request.url === '/root.tar') response.end(tar);
      else response.writeHead(302, { location: '/root.tar' }).end();
    });
    const store = newStore();
    await store.ok('import', `http://ann:secret@127.0.0.1:${server.port}/moved?token=1`, 'fetched');
    const basic = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    expect(asked).toEqual([basic, basic]);
    const comment = await store.ok('history', '--format', '{{.Comment}}', 'fetched');
    expect(comment).toBe(`Imported from http://127.0.0.1:${server.port}/moved`);
    const format = '{{.CreatedSince}} {{.Size}}';
    const [since, exact] = [
      await store.ok('history', '--format', format, 'fetched'),
      await store.ok('history', '--human=false', '--format', '{{.CreatedAt}} {{.Size}}', 'fetched'),
    ];
    expect(since).toMatch(/^\S.* ago \d[\d.]*[kM]?B$/);
    expect(exact).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \d+$/);
  });
});

describe('rmi and load at the same time', () => {
  test('leave the image whole or not there', async () => {
    const store = newStore();
    await store.ok('tag', 'a3s/base', 'race:1');
    await store.ok('save', '-o', file('race-oci.tar'), 'race:1');
    execFileSync('skopeo', [
      'copy',
      '-q',
      `oci-archive:${file('race-oci.tar')}`,
      `docker-archive:${file('race.tar')}:race:1`,
    ]);
    await store.ok('rmi', 'race:1');
    for (let n = 0; n < 8; n += 1) {
      await store.ok('load', '-q', '-i', file('race.tar'));
      const [loaded] = await Promise.all([
        store.run(['load', '-i', file('race.tar')]),
        store.run(['rmi', 'race:1']),
      ]);
      expect(loaded).toMatchObject({ status: 0, err: '' });
      const saved = await store.run(['save', '-o', '/dev/null', 'race:1']);
      expect({ n, status: saved.status, err: saved.err }).toSatisfy(
        ({ status, err }) => status === 0 || err === 'Error response from daemon: No such image: race:1\n',
      );
    }
  });
});

describe('a damaged image', () => {
  test('does not keep others from being listed, and prune takes it away once it has no name', async () => {
    const store = newStore();
    writeFileSync(file('motd.tar'), tarOf({ 'etc/motd': 'hello' }));
    const id = await store.ok('import', file('motd.tar'), 'damaged:1');
    await store.ok('import', file('motd.tar'), 'other:1');
    rmSync(join(store.home, 'images/blobs/sha256', id.slice('sha256:'.length)));
    rmSync(join(store.home, 'cache/images.json'), { force: true });
    const { status, out, err } = await store.run(['images', '--format', '{{.Repository}}:{{.Tag}}']);
    expect({ status, out: out.split('\n').toSorted() }).toEqual({
      status: 0,
      out: ['', 'a3s/base:latest', 'other:1'],
    });
    expect(err).toBe(
      `WARNING: damaged:1: the image is damaged: blob ${id} is missing; remove it: a3s-box rmi damaged:1, and get it again\n`,
    );
    await store.ok('tag', 'other:1', 'damaged:1');
    const pruned = await store.run(['image', 'prune', '-f']);
    expect(pruned).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^Deleted Images:\ndeleted: sha256:/),
    });
    expect(await store.run(['images', '-q'])).toMatchObject({ status: 0, err: '' });
  });
});

function expectNothingIn(store: Store): void {
  for (const directory of ['ingest', 'blobs/sha256', 'leases']) {
    const path = join(store.home, 'images', directory);
    expect(existsSync(path) ? readdirSync(path) : []).toEqual([]);
  }
  const index = join(store.home, 'images/index.json');
  expect(existsSync(index) ? JSON.parse(readFileSync(index, 'utf8')).manifests : []).toEqual([]);
}

async function serve(listener: RequestListener): Promise<AsyncDisposable & { port: number }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A tar of small files. */
function tarOf(files: Record<string, string>): Buffer {
  const root = mkdtempSync(join(directory, 'tar-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return execFileSync('tar', ['c', '-C', root, ...Object.keys(files)]);
}
