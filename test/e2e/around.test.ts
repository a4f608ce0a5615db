/** Around a running box and one that does not run: `cp`, `diff`, `export`, `commit`, `top`, `stats`, `attach`. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { SLOT_BYTES, SLOTS } from '../../src/runtime/transfer/disk.ts';
import { boxDirectory, layoutOf, transferFile } from '../../src/state/layout.ts';
import { temporaryDirectory } from '../temporary.ts';
import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { home } from './fixture/home.ts';
import { imagesOf } from './fixture/images.ts';
import { staticProgram } from './fixture/static-program.ts';
import { until } from './fixture/until.ts';

const BARE = 'around-bare';
const LIVE = ['a3s/base', 'sleep', '1000'];

imagesOf([
  {
    name: BARE,
    base: false,
    config: { Entrypoint: ['/x'] },
    entries: [{ path: 'x', content: staticProgram('hello', 3), mode: 0o755 }],
  },
]);

const boxes = boxesOf('around');
const QUIET = { status: 0, out: '', err: '' };

function fileIn(directory: string, name: string, content = 'data\n'): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

describe('cp', () => {
  test('copies a file in and out, as Docker’s transcript has it', async () => {
    const top = temporaryDirectory();
    const box = await boxes.detached('file', LIVE);
    expect(await a3s(['cp', fileIn(top, 'f.txt'), `${box}:/etc/f2.txt`])).toMatchObject(QUIET);
    expect(await a3s(['cp', `${box}:/etc/f2.txt`, join(top, 'out.txt')])).toMatchObject(QUIET);
    expect(readFileSync(join(top, 'out.txt'), 'utf8')).toBe('data\n');
    expect(await a3s(['container', 'cp', `${box}:/nosuch`, top])).toMatchObject({
      status: 1,
      out: '',
      err: `Error response from daemon: Could not find the file /nosuch in container ${box}\n`,
    });
    expect(await a3s(['cp', join(top, 'f.txt'), `${box}:/no/such`])).toMatchObject({
      status: 1,
      err: `Error response from daemon: Could not find the file /no in container ${box}\n`,
    });
    expect(await a3s(['cp', '-q=false', join(top, 'f.txt'), `${box}:/x`])).toMatchObject({
      status: 0,
      out: '',
      err: `Successfully copied 2.05kB to ${box}:/x\n`,
    });
  });

  test.each([
    [['cp', '/a', '/b'], 'must specify at least one container source'],
    [['cp', 'a:/a', 'b:/b'], 'copying between containers is not supported'],
    [['cp', '', 'b:/b'], 'source can not be empty'],
    [['cp', 'nosuch:/a', '/no/such/b'], 'invalid output path: directory "/no/such" does not exist'],
    [['cp', '/no/such', 'b:/'], 'lstat /no/such: no such file or directory'],
    [['cp', 'nosuch:/a', '/tmp'], 'Error response from daemon: No such container: nosuch'],
  ])('%j is refused', async (words, line) => {
    expect(await a3s(words)).toMatchObject({ status: 1, out: '', err: `${line}\n` });
  });

  test('keeps 10,000 files as they are, both ways', { timeout: 300_000 }, async () => {
    const top = temporaryDirectory();
    tree(join(top, 'tree'));
    const box = await boxes.detached('tree', LIVE);
    expect(await a3s(['cp', '-a', join(top, 'tree'), `${box}:/tree`], { deadlineMs: 200_000 })).toMatchObject(
      QUIET,
    );
    expect(await a3s(['cp', '-a', `${box}:/tree`, join(top, 'back')], { deadlineMs: 200_000 })).toMatchObject(
      QUIET,
    );
    expect(entries(join(top, 'back'))).toEqual(entries(join(top, 'tree')));
  });

  test('of large files come out byte for byte, several at once, and the transfer disk is empty again', async () => {
    const top = temporaryDirectory();
    const box = await boxes.detached('large', LIVE);
    const names = ['one', 'two', 'three'];
    // Odd sizes, pages of zeros in between, and more than the disk holds at once.
    const contents = names.map((_, at) =>
      Buffer.concat([randomBytes(13_000_001 + at), Buffer.alloc(5_000_000), randomBytes(4_000_000)]),
    );
    names.forEach((name, at) => writeFileSync(join(top, name), contents[at] ?? ''));
    await Promise.all(names.map((name) => a3sOk(['cp', join(top, name), `${box}:/${name}`])));
    await Promise.all(names.map((name) => a3sOk(['cp', `${box}:/${name}`, join(top, `${name}-back`)])));
    names.forEach((name, at) => {
      expect(readFileSync(join(top, `${name}-back`)).equals(contents[at] ?? Buffer.alloc(0)), name).toBe(
        true,
      );
    });
    const id = await a3sOk(['ps', '-q', '--filter', `name=${box}`]);
    const { size, blocks } = statSync(transferFile(boxDirectory(layoutOf(home()), id)));
    expect({ size, blocks }).toEqual({ size: SLOTS * SLOT_BYTES, blocks: 0 });
  });

  test('works on a box of one static program, before, while and after it runs', async () => {
    const top = temporaryDirectory();
    const name = boxes.name('bare');
    await a3sOk(['create', '--name', name, BARE]);
    expect(await a3s(['cp', fileIn(top, 'f'), `${name}:/f`])).toMatchObject(QUIET);
    expect(await a3s(['start', '-a', name])).toMatchObject({ status: 3, out: 'hello' });
    expect(await a3s(['cp', `${name}:/f`, '-'])).toMatchObject({ status: 0, err: '' });
    expect(await a3s(['cp', `${name}:/f`, join(top, 'g')])).toMatchObject(QUIET);
    expect(readFileSync(join(top, 'g'), 'utf8')).toBe('data\n');
    expect(await a3sOk(['diff', name])).toBe('A /f');
    expect(await a3sOk(['ps', '-a', '--filter', `name=${name}`, '--format', '{{.State}}'])).toBe('exited');
  });

  test('streams an archive in and out', async () => {
    const top = temporaryDirectory();
    const box = await boxes.detached('stream', LIVE);
    mkdirSync(join(top, 'd'));
    fileIn(join(top, 'd'), 'f');
    const archive = execFileSync('tar', ['-C', top, '-cz', 'd']);
    expect(await a3s(['cp', '-', `${box}:/root`], { stdin: archive })).toMatchObject(QUIET);
    const { stdout } = await a3s(['cp', `${box}:/root/d`, '-']);
    expect(execFileSync('tar', ['t'], { input: stdout }).toString()).toBe('d/\nd/f\n');
    expect(await a3s(['cp', '-', `${box}:/root/d/f`], { stdin: archive })).toMatchObject({
      status: 1,
      err: `destination "${box}:/root/d/f" must be a directory\n`,
    });
    for (const [stdin, why] of [
      ['no tar', 'it ends in the middle of an entry'],
      ['x'.repeat(1024), 'it is no sound tar archive'],
    ] as const) {
      expect(await a3s(['cp', '-', `${box}:/root`], { stdin })).toMatchObject({
        status: 1,
        out: '',
        err: `the archive cannot be read: ${why}\n`,
      });
    }
  });

  test('follows links as asked, and none that a box plants', async () => {
    const top = temporaryDirectory();
    const box = await boxes.detached('links', [
      'a3s/base',
      'sh',
      '-c',
      'mkdir /d; echo 1 >/d/f; ln -s d /l; ln -s /nowhere /dangling; touch /up; sleep 1000',
    ]);
    await until('the files', async () => (await a3s(['exec', box, 'test', '-e', '/up'])).status === 0);
    await a3sOk(['cp', `${box}:/l`, join(top, 'link')]);
    expect(entries(top)).toContainEqual(expect.stringMatching(/link.* -> d$/));
    await a3sOk(['cp', '-L', `${box}:/l`, join(top, 'followed')]);
    expect(readFileSync(join(top, 'followed/f'), 'utf8')).toBe('1\n');
    await a3sOk(['cp', `${box}:/l/.`, join(top, 'contents')]);
    expect(readFileSync(join(top, 'contents/f'), 'utf8')).toBe('1\n');
    await a3sOk(['cp', fileIn(top, 'x'), `${box}:/dangling`]);
    expect(await a3sOk(['exec', box, 'cat', '/nowhere'])).toBe('data');
    expect(await a3s(['cp', `${box}:/d`, join(top, 'x')])).toMatchObject({
      status: 1,
      err: 'cannot copy directory\n',
    });
  });
});

/** 10,000 files with odd names, modes and owners; links; empty and sparse ones. */
function tree(top: string): void {
  for (let d = 0; d < 100; d += 1) {
    const directory = join(top, `dir ${d}`);
    mkdirSync(directory, { recursive: true });
    for (let f = 0; f < 100; f += 1) {
      const name = ['plain', '-dash', 'sp ace', 'line\n', 'üñí'][f % 5] ?? '';
      const path = join(directory, `${name}${f}`);
      writeFileSync(path, Buffer.alloc(f * 7, `${d}/${f}`));
      chownSync(path, f, d + 1000);
      chmodSync(path, [0o644, 0o600, 0o4755, 0o400][f % 4] ?? 0);
      utimesSync(path, 1e9 + f, 1e9 + f);
    }
    utimesSync(directory, 1.1e9 + d, 1.1e9 + d);
  }
  symlinkSync('/etc/passwd', join(top, 'absolute'));
  symlinkSync('dir 1/plain0', join(top, 'relative'));
  linkSync(join(top, 'dir 1/plain5'), join(top, 'second name'));
  writeFileSync(join(top, 'x'.repeat(200)), '');
  writeFileSync(join(top, 'sparse'), 'start');
  truncateSync(join(top, 'sparse'), 50_000_000);
  mkdirSync(join(top, 'closed'), 0o711);
  utimesSync(join(top, 'closed'), 1.2e9, 1.2e9);
}

/** One line for each entry: kind, mode, owner, size, blocks on the disk, time, content or target. */
function entries(top: string): string[] {
  const format = '%P %y %m %U:%G %s %b %T@ %n -> %l\\0';
  const list = execFileSync('find', [top, '-mindepth', '1', '!', '-type', 'd', '-printf', format]).toString();
  const directories = execFileSync('find', [
    top,
    '-mindepth',
    '1',
    '-type',
    'd',
    '-printf',
    '%P %m %U:%G %T@ \\0',
  ]).toString();
  const sums = execFileSync('sh', [
    '-c',
    'cd "$1" && find . -type f -print0 | sort -z | xargs -0 cksum',
    'sh',
    top,
  ]);
  // A copy keeps whole seconds.
  const whole = `${list}${directories}`.replaceAll(/(\d+)\.\d+ /g, '$1 ');
  return [...whole.split('\0'), sums.toString()].toSorted();
}

describe('diff, export, commit', () => {
  test('agree on what a box has changed', async () => {
    const box = await boxes.detached('changes', [
      'a3s/base',
      'sh',
      '-c',
      'echo new >/etc/new; rm /etc/group; chmod 711 /root; cp /etc/passwd /p; cat /p >/etc/passwd; rm -r /home; mkdir /home; touch /up; sleep 1000',
    ]);
    await until('the changes', async () => (await a3s(['exec', box, 'test', '-e', '/up'])).status === 0);
    const lines = (await a3sOk(['diff', box])).split('\n');
    // /etc/passwd was written with what it held.
    expect(lines.filter((line) => !line.includes('/home'))).toEqual([
      'C /etc',
      'D /etc/group',
      'A /etc/new',
      'A /p',
      'C /root',
      'A /up',
    ]);
    const names = execFileSync('tar', ['t'], { input: (await a3s(['export', box])).stdout })
      .toString()
      .split('\n');
    expect(names).toEqual(expect.arrayContaining(['etc/new', 'proc/', 'bin/sh']));
    expect(names).not.toContain('etc/group');

    const id = await a3sOk(['commit', '-m', 'hi', '-a', 'me', '-c', 'ENV A=1', box, 'around-com:1']);
    try {
      expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
      const script = 'cat /etc/new; test ! -e /etc/group && stat -c %a /root; echo $A';
      expect(await a3s(['run', '--rm', 'around-com:1', 'sh', '-c', script])).toMatchObject({
        status: 0,
        out: 'new\n711\n1\n',
      });
      const shown = await a3sOk([
        'image',
        'inspect',
        '-f',
        '{{.Author}} {{json .Config.Cmd}} {{len .RootFS.Layers}}',
        id,
      ]);
      expect(shown).toMatch(/^me \["sh",.* 2$/);
    } finally {
      await a3sOk(['rmi', '-f', 'around-com:1']);
    }
    await a3sOk(['stop', '-t', '0', box]);
    expect((await a3sOk(['diff', box])).split('\n')).toEqual(lines);
  });

  test('commit refuses a bad name and a bad change before it looks at the box', async () => {
    expect(await a3s(['commit', 'nosuch', 'UPPER'])).toMatchObject({ status: 1, out: '' });
    const refused = await a3s(['commit', '-c', 'RUN x', 'nosuch']);
    expect(refused).toMatchObject({ status: 1, out: '' });
    expect(refused.err).toContain('run is not a valid change command');
  });
});

describe('top and stats', () => {
  test('show the workload of an image without ps', async () => {
    const box = await boxes.detached('top', LIVE);
    const [head, row] = (await a3sOk(['top', box])).split('\n');
    expect(head).toMatch(/^UID {17}PID {17}PPID {16}C {19}STIME {15}TTY {17}TIME {16}CMD$/);
    expect(row).toMatch(/^root {16}1 {19}0 .* sleep 1000$/);
    expect(await a3sOk(['top', box, '-o', 'pid,comm'])).toBe(
      'PID                 COMMAND\n1                   sleep',
    );
    const stopped = boxes.name('stopped');
    const id = await a3sOk(['create', '--name', stopped, ...LIVE]);
    expect(await a3s(['top', stopped])).toMatchObject({
      status: 1,
      err: `Error response from daemon: container ${id} is not running\n`,
    });
  });

  test('give plausible figures', async () => {
    const box = await boxes.detached('stats', ['a3s/base', 'sh', '-c', 'while :; do :; done']);
    const idle = boxes.name('idle');
    await a3sOk(['create', '--name', idle, ...LIVE]);
    const figures = await a3sOk(['stats', '--no-stream', '--format', '{{json .}}', box]);
    const { CPUPerc, MemUsage, PIDs, Name, HostMemUsage } = JSON.parse(figures);
    expect(Number.parseFloat(CPUPerc)).toBeGreaterThan(20);
    expect(Number.parseFloat(CPUPerc)).toBeLessThan(210);
    expect([Name, PIDs]).toEqual([box, '1']);
    expect(MemUsage).toMatch(/^[\d.]+[KM]iB \/ 512MiB$/);
    expect(HostMemUsage).toMatch(/^[\d.]+MiB$/);
    expect(await a3sOk(['stats', '-a', '--no-stream', '--format', '{{.CPUPerc}} {{.MemUsage}}', idle])).toBe(
      '0.00% 0B / 0B',
    );
    expect(await a3s(['stats', '--no-stream', 'nosuch'])).toMatchObject({
      status: 1,
      err: 'Error response from daemon: No such container: nosuch\n',
    });
  });
});

describe('attach', () => {
  test('joins the workload, several at once; the end of one’s input ends nothing', async () => {
    const name = boxes.name('attach');
    await a3sOk([
      'run',
      '-di',
      '--name',
      name,
      'a3s/base',
      'sh',
      '-c',
      'while read line; do echo "got $line"; test "$line" = end && exit 5; done',
    ]);
    const first = new CliProcess(['attach', name]);
    const second = new CliProcess(['attach', '--no-stdin', name]);
    first.child.stdin.write('one\n');
    await first.says(/got one/);
    // Whoever joins sees what comes from then on.
    let lines = 0;
    await until('the second to be there', () => {
      first.child.stdin.write('again\n');
      lines += 1;
      return second.out.includes('again');
    });
    await until('the last answer', () => first.out.split('again').length === lines + 1);
    first.child.stdin.end();
    expect(await a3s(['attach', name], { stdin: 'end\n' })).toMatchObject({ status: 5, out: 'got end\n' });
    expect(await first.ended).toMatchObject({ status: 5 });
    expect(await second.ended).toMatchObject({ status: 5 });
    expect(await a3s(['attach', name])).toMatchObject({
      status: 1,
      err: 'cannot attach to a stopped container, start it first\n',
    });
  });
});
