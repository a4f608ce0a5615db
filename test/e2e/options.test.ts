import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { recordOf } from './fixture/records.ts';

const boxes = boxesOf('options');
let directory: string;
beforeAll(() => {
  directory = mkdtempSync('/tmp/a3s-options-');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** stdout of a box that must succeed; flags stand before the script. */
const sh = (flags: readonly string[], script: string): Promise<string> =>
  a3sOk(['run', '--rm', ...flags, 'a3s/base', 'sh', '-c', script]);

describe('run and the process', () => {
  test('-e and --env-file set the environment', async () => {
    const file = join(directory, 'env');
    writeFileSync(file, 'B=file\nC=file\n');
    const flags = ['-e', 'A=1', '--env-file', file, '-e', 'C=flag', '-e', 'FROM_HOST', '-e', 'NOT_SET'];
    const out = await a3sOk(['run', '--rm', ...flags, 'a3s/base', 'env'], { env: { FROM_HOST: 'host' } });
    const lines = out.split('\n');
    expect(lines).toEqual(expect.arrayContaining(['A=1', 'B=file', 'C=flag', 'FROM_HOST=host']));
    expect(lines.some((line) => line.startsWith('NOT_SET'))).toBe(false);
  });

  test('--env-file is the box’s alone: the command neither takes it for its own nor loses its word on it', async () => {
    const file = join(directory, 'own-env');
    writeFileSync(file, 'A3S_BOX_ACCEL=nonsense\n');
    const script = 'echo $A3S_BOX_ACCEL';
    expect(await a3sOk(['run', '--rm', '--env-file', file, 'a3s/base', 'sh', '-c', script])).toBe('nonsense');
    expect(await a3s(['run', '--env-file', '/no/such', 'a3s/base'])).toMatchObject({
      status: 125,
      out: '',
      err: "a3s-box: open /no/such: no such file or directory\n\nRun 'a3s-box run --help' for more information\n",
    });
  });

  test('has HOME and HOSTNAME as docker sets them', async () => {
    expect(await sh(['--hostname', 'deck'], 'echo $HOME $HOSTNAME')).toBe('/root deck');
    expect(await sh(['-u', 'app'], 'echo $HOME')).toBe('/home/app');
  });

  test('--entrypoint comes before the command', async () => {
    const words = ['run', '--rm', '--entrypoint', 'printf', 'a3s/base', '%s-', 'a', 'b'];
    expect(await a3sOk(words)).toBe('a-b-');
  });

  test('-w sets the working directory, and makes it', async () => {
    expect(await sh(['-w', '/etc'], 'pwd')).toBe('/etc');
    expect(await sh(['-w', '/new/one'], 'pwd; stat -c %U .')).toBe('/new/one\nroot');
  });

  test.each([
    ['app', '1000 1000'],
    ['1000:33', '1000 33'],
    ['nobody:app', '65534 1000'],
    ['12345', '12345 0'],
  ])('-u %s sets user and group', async (user, ids) => {
    expect(await sh(['-u', user], 'echo $(id -u) $(id -g)')).toBe(ids);
  });

  test("has docker's default capabilities, and none as an ordinary user", async () => {
    expect(await sh([], 'grep CapEff /proc/self/status')).toBe('CapEff:\t00000000a80425fb');
    expect(await sh(['-u', 'app'], 'grep CapEff /proc/self/status')).toBe('CapEff:\t0000000000000000');
  });

  test('is PID 1 and sees no other process', async () => {
    expect(await sh([], 'echo $$; ls /proc | grep -c "^[0-9]"')).toMatch(/^1\n[1-3]$/);
  });

  test('--init is PID 1, passes signals on and reaps', async () => {
    const script = [
      'grep -q . /proc/1/comm && [ $$ != 1 ] && echo child',
      // An orphan that ends: without a reaper it stays as a zombie.
      'orphan=$(sh -c "sleep 0.1 >/dev/null & echo \\$!")',
      'n=0; while test -e /proc/$orphan && [ $n -lt 300 ]; do n=$((n+1)); sleep 0.1; done',
      'test -e /proc/$orphan || echo reaped',
    ].join('\n');
    expect(await sh(['--init'], script)).toBe('child\nreaped');
  });

  test('--cpus and --memory are what the box has, and can use', async () => {
    expect(await sh([], 'nproc; cat /sys/fs/cgroup/memory.max')).toBe(`2\n${512 * 1024 * 1024}`);
    const most = ['dd', 'if=/dev/zero', 'of=/dev/null', 'count=1', 'bs=490M'];
    expect(await a3s(['run', '--rm', 'a3s/base', ...most])).toMatchObject({ status: 0 });
  });
});

describe('run and the identity of the box', () => {
  test('the short ID is the host name unless --hostname gives one', async () => {
    const name = await boxes.detached('host', ['a3s/base', 'sleep', '1000']);
    expect(await a3sOk(['exec', name, 'hostname'])).toBe(recordOf(name).short_id);
    const script = 'hostname; cat /etc/hostname; grep -w deck /etc/hosts | wc -l';
    expect(await sh(['--hostname', 'deck'], script)).toBe('deck\ndeck\n1');
  });

  test('--label and --label-file are shown by inspect', async () => {
    const file = join(directory, 'labels');
    writeFileSync(file, 'b=file\nc=file\n');
    const name = boxes.name('label');
    const labels = ['--label', 'a=1', '--label', 'c=flag', '--label-file', file, '-l', 'd'];
    await a3sOk(['create', '--name', name, ...labels, 'a3s/base', 'true']);
    const shown: unknown = JSON.parse(await a3sOk(['inspect', '-f', '{{json .Config.Labels}}', name]));
    expect(shown).toEqual({ a: '1', b: 'file', c: 'flag', d: '' });
  });

  test('--cidfile holds the ID', async () => {
    const file = join(directory, 'cid');
    const name = boxes.name('cid');
    const out = await a3sOk(['run', '-d', '--cidfile', file, '--name', name, 'a3s/base', 'true']);
    expect(readFileSync(file, 'utf8')).toBe(out);
    const { status, err } = await a3s(['run', '--rm', '--cidfile', file, 'a3s/base', 'true']);
    expect(status).toBe(125);
    expect(err).toContain('container ID file found');
  });

  test('--cidfile is not left behind by a run that fails', async () => {
    const file = join(directory, 'failed');
    const { status } = await a3s(['run', '--rm', '--cidfile', file, 'nosuchimg:1', 'true']);
    expect(status).toBe(125);
    expect(existsSync(file)).toBe(false);
  });
});

describe('run and the file system', () => {
  test('--read-only refuses writes, but not to a tmpfs', async () => {
    const script = 'touch /x; echo $?; touch /scratch/x; echo $?; echo > /etc/x; echo $?';
    const { status, out, err } = await a3s([
      'run',
      '--rm',
      '--read-only',
      '--tmpfs',
      '/scratch',
      'a3s/base',
      'sh',
      '-c',
      script,
    ]);
    expect({ status, out }).toEqual({ status: 0, out: '1\n0\n1\n' });
    expect(err).toMatch(/touch: \/x: Read-only file system/);
  });

  test('--tmpfs mounts one with its options', async () => {
    const out = await sh(['--tmpfs', '/t:size=1m,mode=700'], 'grep " /t " /proc/mounts; stat -c %a /t');
    expect(out).toMatch(/^tmpfs \/t tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k,mode=700.* 0 0\n700$/);
    const full = await a3s([
      'run',
      '--rm',
      '--tmpfs',
      '/t:size=1m',
      'a3s/base',
      'dd',
      'if=/dev/zero',
      'of=/t/x',
      'bs=1M',
      'count=2',
    ]);
    expect(full.err).toMatch(/No space left on device/);
  });

  test('without it the root can be written, and each box has its own', async () => {
    expect(await sh([], 'echo mine > /etc/mine && cat /etc/mine')).toBe('mine');
    expect(await sh([], 'ls /etc/mine 2>&1 || true')).toMatch(/No such file/);
  });

  test("has docker's mounts", async () => {
    const script =
      'for m in /proc /dev /dev/pts /dev/shm /dev/mqueue /sys; do grep -q " $m " /proc/mounts || echo no $m; done';
    expect(await sh([], script)).toBe('');
    expect(
      await sh([], 'ls -1 /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty | wc -l'),
    ).toBe('6');
  });
});

describe('run and the network of the box', () => {
  test('--dns names the servers', async () => {
    const out = await sh(['--dns', '192.0.2.53', '--dns', '192.0.2.54'], 'grep nameserver /etc/resolv.conf');
    expect(out).toBe('nameserver 192.0.2.53\nnameserver 192.0.2.54');
  });

  test('--network none leaves the loopback alone', async () => {
    const script =
      'ip -o link show up | wc -l; ip route | wc -l; ping -c 1 -W 5 127.0.0.1 > /dev/null; echo $?';
    expect(await sh(['--network', 'none'], script)).toBe('1\n0\n0');
    // Docker's other name for the flag.
    expect(await sh(['--net', 'none'], script)).toBe('1\n0\n0');
  });
});
