import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { home } from './fixture/home.ts';
import { imagesOf } from './fixture/images.ts';
import { killIfAlive, processesNaming } from './fixture/processes.ts';
import { readBoxesFile } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const IMAGE = 'vols';
/** Enough files to be killed between them. */
const MANY = 600;

imagesOf([
  {
    name: IMAGE,
    base: true,
    config: { Cmd: ['sh'], Env: ['PATH=/bin'], Volumes: { '/srv/data': {}, '/cache/': {} } },
    entries: [
      { path: 'srv/data', mode: 0o1750, uid: 70, gid: 71, mtime: 1_000_000_000 },
      { path: 'srv/data/file', content: 'image\n', mode: 0o4755, uid: 70, gid: 71, mtime: 1_000_000_001 },
      {
        path: 'srv/data/twin',
        hardlink: 'srv/data/file',
        mode: 0o4755,
        uid: 70,
        gid: 71,
        mtime: 1_000_000_001,
      },
      { path: 'srv/data/link', symlink: 'nowhere/at/all', uid: 5, gid: 6, mtime: 1_000_000_002 },
      { path: 'srv/data/sub', mode: 0o2700, uid: 1, gid: 2, mtime: 1_000_000_003 },
      { path: 'many' },
      ...Array.from({ length: MANY }, (_, n) => ({ path: `many/f${n}`, content: 'x'.repeat(1000) })),
      { path: 'srv/data/sub/marked', content: 'x', xattrs: { 'user.colour': 'blue' } },
    ],
  },
]);
const boxes = boxesOf('volumes');
const scratch = mkdtempSync('/tmp/a3s-volumes-');
afterEach(async () => {
  // Boxes go in a hook that runs later; `-f` here is for those that hold volumes.
  const names = await a3sOk(['ps', '-aq', '--filter', 'name=^/volumes-']);
  if (names !== '') await a3sOk(['rm', '-f', ...names.split('\n')]);
  await a3sOk(['volume', 'prune', '-a', '-f']);
});
afterAll(() => rmSync(scratch, { recursive: true }));

const data = (name: string): string => join(home(), 'volumes', name, '_data');
const sh = (flags: readonly string[], script: string): Promise<string> =>
  a3sOk(['run', '--rm', ...flags, 'a3s/base', 'sh', '-c', script]);
const names = async (): Promise<string[]> =>
  (await a3sOk(['volume', 'ls', '-q'])).split('\n').filter(Boolean);

describe('a named volume', () => {
  test('is made on first use and outlives its boxes', async () => {
    expect(await sh(['-v', 'kept:/data'], 'echo one > /data/f; ls -a /data')).toBe('.\n..\nf');
    expect(readFileSync(join(data('kept'), 'f'), 'utf8')).toBe('one\n');
    const script = 'cat /data/f; echo two > /data/f; echo $?';
    const read = await a3s([
      'run',
      '--rm',
      '--mount',
      'src=kept,dst=/data,ro',
      'a3s/base',
      'sh',
      '-c',
      script,
    ]);
    expect(read).toMatchObject({ status: 0, out: 'one\n1\n' });
    expect(await sh(['--mount', 'src=kept,dst=/f/g,volume-subpath=f'], 'cat /f/g')).toBe('one');
    expect(await a3sOk(['volume', 'rm', 'kept'])).toBe('kept');
    expect(existsSync(data('kept'))).toBe(false);
  });

  test('is shared by boxes that run at the same time', async () => {
    const writer = await boxes.detached('writer', ['-v', 'both:/w', 'a3s/base', 'sleep', '1000']);
    const reader = await boxes.detached('reader', ['-v', 'both:/r:ro', 'a3s/base', 'sleep', '1000']);
    await a3sOk(['exec', writer, 'sh', '-c', 'echo hello > /w/f']);
    expect(await a3sOk(['exec', reader, 'cat', '/r/f'])).toBe('hello');
  });

  test('in use is not removed, and says by whom', async () => {
    const id = await a3sOk(['create', '--name', boxes.name('user'), '-v', 'used:/d', 'a3s/base', 'true']);
    expect(await a3s(['volume', 'rm', 'used'])).toMatchObject({
      status: 1,
      out: '',
      err: `Error response from daemon: remove used: volume is in use - [${id}]\n`,
    });
    expect(
      await a3sOk([
        'ps',
        '-a',
        '--filter',
        'volume=used',
        '--format',
        '{{.ID}} {{.Mounts}} {{.LocalVolumes}}',
      ]),
    ).toBe(`${id.replaceAll('-', '').slice(0, 12)} used 1`);
    expect(await a3sOk(['ps', '-aq', '--filter', 'volume=/nowhere'])).toBe('');
  });

  test('is seen by inspect', async () => {
    const name = boxes.name('seen');
    await a3sOk([
      'create',
      '--name',
      name,
      '-v',
      'seen:/d',
      '--mount',
      'src=seen,dst=/e,ro',
      'a3s/base',
      'true',
    ]);
    const format =
      '{{json .Mounts}} {{json .HostConfig.Binds}} {{json .HostConfig.Mounts}} {{json .Config.Volumes}}';
    const point = (target: string, mode: string, rw: boolean): string =>
      `{"Type":"volume","Name":"seen","Source":"${data('seen')}","Destination":"${target}","Driver":"local",` +
      `"Mode":"${mode}","RW":${rw},"Propagation":""}`;
    expect(await a3sOk(['inspect', '-f', format, name])).toBe(
      `[${point('/d', 'z', true)},${point('/e', 'ro', false)}] ["seen:/d"] ` +
        '[{"Type":"volume","Source":"seen","Target":"/e","ReadOnly":true}] null',
    );
  });
});

describe('the first use of a volume', () => {
  const facts = (path: string): string => {
    const { mode, uid, gid, mtimeMs } = statSync(path);
    return `${(mode & 0o7777).toString(8)} ${uid}:${gid} ${mtimeMs / 1000}`;
  };

  test('fills it with what the image has there, as the image has it', async () => {
    const script = 'stat -c "%a %u:%g %Y %n" . file sub link; readlink link; stat -c %h file twin; cat twin';
    const run = ['run', '--rm', '-v', 'filled:/srv/data', '-w', '/srv/data', IMAGE, 'sh', '-c', script];
    const seen = [
      '1750 70:71 1000000000 .',
      '4755 70:71 1000000001 file',
      '2700 1:2 1000000003 sub',
      '777 5:6 1000000002 link',
      'nowhere/at/all',
      '2',
      '2',
      'image',
    ].join('\n');
    expect(await a3sOk(run)).toBe(seen);
    expect(await a3sOk(run)).toBe(seen);
    expect(readdirSync(data('filled')).toSorted()).toEqual(['file', 'link', 'sub', 'twin']);
    expect(facts(data('filled'))).toBe('1750 70:71 1000000000');
    expect(readdirSync(join(home(), 'volumes', 'filled'))).toEqual(['_data']);
  });

  test('does not fill one that has files, nor with nocopy, nor a bind mount', async () => {
    await a3sOk(['volume', 'create', 'own']);
    writeFileSync(join(data('own'), 'mine'), '');
    const list = (mount: string): Promise<string> =>
      a3sOk(['run', '--rm', '-v', mount, IMAGE, 'sh', '-c', 'ls -A /srv/data']);
    expect(await list('own:/srv/data')).toBe('mine');
    expect(await list('bare:/srv/data:nocopy')).toBe('');
    expect(await list(`${scratch}:/srv/data`)).toBe('');
    // Still empty: it is filled when it may be.
    expect(await list('bare:/srv/data')).toBe('file\nlink\nsub\ntwin');
  });

  test('reaches boxes that have mounted it before', async () => {
    const early = await boxes.detached('early', ['-v', 'late:/d:nocopy', 'a3s/base', 'sleep', '1000']);
    const list = (): Promise<string> => a3sOk(['exec', early, 'sh', '-c', 'ls /d']);
    expect(await list()).toBe('');
    await a3sOk(['run', '--rm', '-v', 'late:/srv/data', IMAGE, 'true']);
    expect(await list()).toBe('file\nlink\nsub\ntwin');
    await a3sOk(['exec', early, 'sh', '-c', 'echo early > /d/own']);
    expect(readFileSync(join(data('late'), 'own'), 'utf8')).toBe('early\n');
  });

  test('starts anew when its box was killed at it', async () => {
    const share = join(home(), 'volumes', 'killed');
    const name = boxes.name('killed');
    const first = new CliProcess(['run', '--name', name, '-v', 'killed:/many', IMAGE, 'true']);
    const filling = (): boolean =>
      existsSync(share) && readdirSync(share).some((each) => each.startsWith('_fill-'));
    await until('the copy', filling, 30_000);
    const [box] = readBoxesFile(home()).filter((each) => each.name === name);
    for (const { pid } of processesNaming(box?.box_dir ?? '/none')) killIfAlive(pid);
    expect((await first.ended).status).not.toBe(0);
    expect(readdirSync(join(share, '_data'))).toEqual([]);
    const count = ['run', '--rm', '-v', 'killed:/many', IMAGE, 'sh', '-c', 'ls /many | wc -l'];
    expect(await a3sOk(count)).toBe(String(MANY));
    expect(readdirSync(share)).toEqual(['_data']);
  });

  test.skipIf(process.getuid?.() !== 0)('on a full disk fails by name and leaves nothing', async () => {
    await a3sOk(['volume', 'create', 'full']);
    const share = join(home(), 'volumes', 'full');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', share]);
    try {
      mkdirSync(join(share, '_data'));
      const { status, out, err } = await a3s(['run', '--rm', '-v', 'full:/many', IMAGE, 'true']);
      expect({ status, out }).toEqual({ status: 125, out: '' });
      expect(err).toMatch(/failed to populate volume: copy \/many\/f\d+: no space left on device/);
      expect(readdirSync(share)).toEqual(['_data']);
    } finally {
      execFileSync('umount', [share]);
    }
  });

  test('by several boxes at once gives each the whole', async () => {
    const runs = Array.from({ length: 3 }, () =>
      a3sOk(['run', '--rm', '-v', 'raced:/srv/data', IMAGE, 'sh', '-c', 'find /srv/data | wc -l']),
    );
    expect(await Promise.all(runs)).toEqual(['6', '6', '6']);
    expect(readdirSync(join(home(), 'volumes', 'raced'))).toEqual(['_data']);
  });
});

describe('an anonymous volume', () => {
  test('stands at each VOLUME of the image where nothing else is mounted, and goes with --rm', async () => {
    const name = boxes.name('auto');
    await a3sOk(['create', '--name', name, '-v', '/more', '--tmpfs', '/cache', IMAGE, 'true']);
    const targets = await a3sOk([
      'inspect',
      '-f',
      '{{range .Mounts}}{{.Type}} {{.Destination}} {{len .Name}};{{end}}',
      name,
    ]);
    expect(targets).toBe('volume /more 64;volume /srv/data 64;');
    expect(await a3sOk(['inspect', '-f', '{{json .Config.Volumes}}', name])).toBe(
      '{"/more":{},"/srv/data":{}}',
    );
    expect(await names()).toHaveLength(2);
    const script = 'cat /srv/data/file; mount | grep -c " /cache "';
    expect(await a3sOk(['run', '--rm', IMAGE, 'sh', '-c', script])).toBe('image\n1');
    expect(await names()).toHaveLength(2);
  });

  test('stays when its box is removed, and goes with rm -v; a named one stays then, too', async () => {
    const create = (): Promise<string> =>
      a3sOk(['create', '-v', '/anon', '-v', 'named:/d', 'a3s/base', 'true']);
    await a3sOk(['rm', '-v', await create()]);
    expect(await names()).toEqual(['named']);
    await a3sOk(['rm', await create()]);
    expect(await names()).toHaveLength(2);
    expect(await a3s(['volume', 'prune'], { stdin: 'n\n' })).toMatchObject({
      status: 0,
      out:
        'WARNING! This will remove anonymous local volumes not used by at least one container.\n' +
        'Are you sure you want to continue? [y/N] ',
    });
    expect(await a3sOk(['volume', 'prune'], { stdin: 'y\n' })).toMatch(
      /\[y\/N\] Deleted Volumes:\n[0-9a-f]{64}\n\nTotal reclaimed space: 0B$/,
    );
    expect(await names()).toEqual(['named']);
  });

  test('keeps its files over stop and start', async () => {
    const name = await boxes.detached('again', ['-v', '/anon', 'a3s/base', 'sleep', '1000']);
    await a3sOk(['exec', name, 'sh', '-c', 'echo kept > /anon/f']);
    await a3sOk(['stop', '-t', '0', name]);
    await a3sOk(['start', name]);
    expect(await a3sOk(['exec', name, 'cat', '/anon/f'])).toBe('kept');
  });
});

test('more mounts than slots: files share one, and so do mounts of one directory', async () => {
  const flags: string[] = [];
  for (let n = 0; n < 20; n += 1) {
    writeFileSync(join(scratch, `f${n}`), `${n}\n`);
    flags.push('-v', `${scratch}/f${n}:/files/${n}`, '-v', `${scratch}:/dirs/${n}`);
  }
  expect(await sh(flags, 'cat /files/7 /dirs/9/f11; ls /files | wc -l; ls /dirs | wc -l')).toBe(
    '7\n11\n20\n20',
  );
});

test('a --mount whose source is missing is refused, as in Docker', async () => {
  const mount = ['--mount', 'type=bind,src=/nosuch/dir,dst=/w'];
  expect(await a3s(['run', '--rm', ...mount, 'a3s/base', 'true'])).toMatchObject({
    status: 125,
    out: '',
    err:
      'a3s-box: Error response from daemon: invalid mount config for type "bind": bind source path does not exist: ' +
      "/nosuch/dir\n\nRun 'a3s-box run --help' for more information\n",
  });
  expect(existsSync('/nosuch')).toBe(false);
});
