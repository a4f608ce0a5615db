import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import type { RunMount } from '../../src/build/stage/types.ts';
import { temporaryDirectory } from '../temporary.ts';
import { bytesOf, described, layerOf, look, openStage, run, sh, shell, tar } from './fixture/stage.ts';

const file = (type: 'secret' | 'script', target: string, content: string): RunMount => ({
  type,
  target,
  content: Buffer.from(content),
  mode: type === 'script' ? 0o555 : 0o400,
  uid: 0,
  gid: 0,
});

test('a command has the environment, user, directory and name that it is given', async () => {
  const vm = await openStage();
  await vm.addLayer(tar({ name: 'work/', uid: 65534 }));
  const { stdout, stderr, exitCode } = await run(
    vm,
    shell(
      'id -u; id -g; pwd; echo "$A $HOME"; hostname; cat /etc/hosts; ulimit -n; df /dev/shm | tail -1; echo err >&2; cat',
      {
        env: ['A=1 2'],
        user: '4242:100',
        cwd: '/work',
        hosts: ['10.0.0.1\tmirror'],
        ulimits: [{ name: 'nofile', soft: 99, hard: 100 }],
        shmBytes: 8 * 1024 * 1024,
      },
    ),
  );
  await vm.discard();
  expect({ stderr, exitCode }).toEqual({ stderr: 'err\n', exitCode: 0 });
  expect(stdout.replace(/ +/g, ' ').split('\n')).toEqual([
    '4242',
    '100',
    '/work',
    '1 2 /',
    'buildkitsandbox',
    '127.0.0.1\tlocalhost buildkitsandbox',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    '10.0.0.1\tmirror',
    '99',
    'shm 8192 0 8192 0% /dev/shm',
    '',
  ]);
});

test('a working directory that is missing is made for the user', async () => {
  const vm = await openStage();
  await sh(vm, 'pwd', { cwd: '/a/b', user: '5:6' });
  expect(described(await layerOf(vm))).toEqual(['directory a/ 755 5:6', 'directory a/b/ 755 5:6']);
});

test('status, signal and the reason of a command that cannot start come back', async () => {
  const vm = await openStage();
  const end = async (script: string, args?: string[]): Promise<object> => {
    const {
      stdout: _out,
      stderr: _err,
      ...result
    } = await run(vm, shell(script, args === undefined ? {} : { args }));
    await vm.discard();
    return result;
  };
  expect(await end('exit 42')).toEqual({ exitCode: 42 });
  expect(await end('sh -c "kill -9 \\$\\$"; exit $?')).toEqual({ exitCode: 137 });
  expect(await end('', ['nosuch'])).toEqual({
    exitCode: 127,
    error: {
      code: 'not_found',
      stage: 'exec',
      message: 'exec: "nosuch": executable file not found in $PATH',
    },
  });
  expect(await end('', ['/etc/group'])).toMatchObject({ exitCode: 126, error: { code: 'not_executable' } });
});

test('a command that takes too much memory is told from others that are killed', async () => {
  const vm = await openStage({ memoryMb: 128 });
  const { exitCode, oomKilled } = await run(vm, shell('exec tail /dev/zero'));
  await vm.discard();
  expect({ exitCode, oomKilled }).toEqual({ exitCode: 137, oomKilled: true });
  expect(await run(vm, shell('true'))).toMatchObject({ exitCode: 0 });
});

test('nothing of the agent, of other steps or of their processes is to be seen', async () => {
  const vm = await openStage();
  await look(vm, 'sleep 1000 & echo');
  const seen = await look(
    vm,
    'echo /proc/[0-9]*; ls -A / /dev; cut -d" " -f2 /proc/mounts; cat /proc/self/cgroup; ls /proc/1/fd; cat /proc/sys/kernel/random/boot_id >/dev/null; ' +
      'grep -c . /proc/kcore; touch /proc/sys/kernel/x; grep CapEff /proc/self/status',
  ).catch((error: unknown) => String(error));
  expect(seen).toContain('/proc/1\n');
  expect(seen).toContain('0::/\n');
  expect(seen).not.toContain('a3s');
  expect(seen).not.toContain('/box');
});

test('network none has a loopback and nothing else, and the next step has the network again', async () => {
  const vm = await openStage();
  expect(
    await look(vm, 'ls /sys/class/net; ping -c1 -W2 127.0.0.1 >/dev/null && echo up', { network: 'none' }),
  ).toBe('lo\nup\n');
  expect(await look(vm, 'ls /sys/class/net; cat /etc/resolv.conf')).toBe('eth0\nlo\nnameserver 10.0.2.3\n');
});

test('name servers and search domains are those given', async () => {
  const vm = await openStage({ dns: ['192.0.2.1'], dnsSearch: ['example.org'], dnsOptions: ['ndots:2'] });
  expect(await look(vm, 'cat /etc/resolv.conf')).toBe(
    'nameserver 192.0.2.1\nsearch example.org\noptions ndots:2\n',
  );
});

test('mounts of every kind show what they are to show and leave nothing in the layer', async () => {
  const cache = join(temporaryDirectory(), 'cache');
  mkdirSync(cache);
  const vm = await openStage({ shares: [{ id: 'npm', directory: cache }] });
  await vm.addLayer(tar({ name: 'opt/', mtime: 1 }, { name: 'srv/there', content: 'below' }));
  const mounts: RunMount[] = [
    { type: 'tmpfs', target: '/opt/scratch', sizeBytes: 1024 * 1024 },
    {
      type: 'bind',
      target: '/src/tree',
      readOnly: true,
      tar: tar({ name: 'a', content: 'bound' }, { name: 'd/' }, { name: 'd/b' }),
      single: null,
    },
    {
      type: 'bind',
      target: '/src/writable',
      readOnly: false,
      tar: tar({ name: 'w', content: 'w' }),
      single: null,
    },
    {
      type: 'bind',
      target: '/srv/there',
      readOnly: true,
      tar: tar({ name: 'f', content: 'one file' }),
      single: 'f',
    },
    { type: 'cache', target: '/root/.cache/npm', readOnly: false, share: 'npm', mode: 0o750, uid: 0, gid: 0 },
    file('secret', '/run/secrets/key', 'hush'),
    file('script', '/dev/pipes/EOF', '#!/bin/sh\necho script ran\n'),
  ];
  const output = await sh(
    vm,
    `cat /src/tree/a /srv/there /run/secrets/key; echo
     ls /src/tree /src/tree/d
     touch /src/tree/x 2>/dev/null || echo read-only
     echo more >> /src/writable/w; cat /src/writable/w
     stat -c "%a" /root/.cache/npm /run/secrets/key; echo cached > /root/.cache/npm/entry
     echo x > /run/secrets/key || echo secret read-only
     df /opt/scratch | tail -1 | tr -s " " | cut -d" " -f1,2
     /dev/pipes/EOF; echo made > /made`,
    { mounts },
  );
  expect(output.split('\n')).toEqual([
    'boundone filehush',
    '/src/tree:',
    'a',
    'd',
    '',
    '/src/tree/d:',
    'b',
    'read-only',
    'wmore',
    '750',
    '400',
    'secret read-only',
    'tmpfs 1024',
    'script ran',
    '',
  ]);
  const layer = await layerOf(vm);
  expect(described(layer)).toEqual(['file made 644 0:0 "made\\n"']);
  expect(layer.bytes.includes('hush')).toBe(false);
  expect(readFileSync(join(cache, 'entry'), 'utf8')).toBe('cached\n');
  // Nor do later steps see what was made to be mounted on.
  expect(await look(vm, 'ls -d /src /root/.cache /opt/scratch 2>&1; cat /srv/there')).toBe(
    ['/src', '/root/.cache', '/opt/scratch']
      .map((path) => `ls: ${path}: No such file or directory\n`)
      .join('') + 'below',
  );
});

test('places behind links are the layer’s no more than others, and what a command makes of its own is', async () => {
  const vm = await openStage();
  const links = [
    { name: 'lnk', type: 'symlink', link: '/real' },
    { name: 'gone', type: 'symlink', link: 'nowhere' },
  ] as const;
  await vm.addLayer(tar({ name: 'real/' }, ...links));
  const mounts: RunMount[] = [
    { type: 'tmpfs', target: '/lnk/cache', sizeBytes: null },
    { type: 'tmpfs', target: '/gone/deep', sizeBytes: null },
    file('secret', '/lnk/bound', 'hush'),
  ];
  await sh(vm, 'cat /real/bound; touch /nowhere/deep/x /etc/machine-id /etc/hostname /.dockerenv', {
    mounts,
  });
  expect(described(await layerOf(vm))).toEqual([
    'file .dockerenv 644 0:0 ""',
    'directory etc/ 755 0:0',
    'file etc/hostname 644 0:0 ""',
    'file etc/machine-id 644 0:0 ""',
  ]);
  expect(await look(vm, 'ls -A /real; ls -d /nowhere 2>&1 || true')).toBe(
    'ls: /nowhere: No such file or directory\n',
  );
});

test('a cache keeps its files, owners and mode from step to step, and what is read-only cannot be written', async () => {
  const cache = join(temporaryDirectory(), 'cache');
  mkdirSync(cache);
  const vm = await openStage({ shares: [{ id: 'c', directory: cache }] });
  const mount = (readOnly: boolean, mode: number): Partial<Parameters<typeof shell>[1]> => ({
    mounts: [{ type: 'cache', target: '/c', readOnly, share: 'c', mode, uid: 7, gid: 8 }],
  });
  await look(vm, 'echo 1 > /c/f; chown 3:4 /c/f; chmod 4711 /c/f', mount(false, 0o711));
  const seen = await look(
    vm,
    'stat -c "%a %u %g" /c /c/f; cat /c/f; touch /c/x 2>/dev/null || echo read-only',
    mount(true, 0o700),
  );
  expect(seen).toBe('711 7 8\n4711 3 4\n1\nread-only\n');
  expect(readdirSync(cache)).toEqual(['f']);
});

test('a socket of the host answers in the guest, for many clients one after the other and at once', async () => {
  const path = join(temporaryDirectory(), 'agent.sock');
  const agent = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    // Says back what was said, once the client has ended.
    const said: Buffer[] = [];
    socket.on('data', (piece: Buffer) => said.push(piece));
    socket.on('end', () => socket.end(Buffer.concat([Buffer.from('you said '), ...said])));
  });
  await new Promise<void>((resolve) => agent.listen(path, resolve));
  onTestFinished(() => void agent.close());
  // Busybox has no client for such a socket; perl is on every Debian.
  const vm = await openStage({ shares: [{ id: 'usr', directory: '/usr' }] });
  const mounts: RunMount[] = [
    { type: 'ssh', target: '/run/buildkit/ssh_agent.0', mode: 0o600, uid: 0, gid: 0, agentSocket: path },
    { type: 'cache', target: '/host', readOnly: true, share: 'usr', mode: 0o755, uid: 0, gid: 0 },
  ];
  // One after the other, twenty at once that all wait for their answer, and one that says much.
  const client = `
    use IO::Socket::UNIX;
    sub dial { IO::Socket::UNIX->new(Peer => $ENV{S}) or die $! }
    sub say_all { my $s = shift; print $s @_; $s->flush; shutdown $s, 1 }
    for (1..3) { my $s = dial; say_all $s, "$_\n"; print <$s> }
    my @all = map { dial } 1..20;
    for (reverse 0..19) { say_all $all[$_], "client $_\n" }
    for (@all) { my $s = $_; print <$s> }
    my $s = dial; say_all $s, "x" x 300000; local $/; print length <$s>, "\n"`;
  const output = await sh(
    vm,
    `ln -s /host/lib /lib; ln -s /host/lib64 /lib64; ln -s /host/share /host/lib /usr/; stat -c "%F %a" $S; /host/bin/perl -e "$C"`,
    { mounts, env: ['S=/run/buildkit/ssh_agent.0', `C=${client}`, 'PATH=/bin:/usr/bin'] },
  );
  await vm.discard();
  expect(output.split('\n')).toEqual([
    'socket 600',
    ...[1, 2, 3].map((n) => `you said ${n}`),
    ...Array.from({ length: 20 }, (_, n) => `you said client ${n}`),
    '300009',
    '',
  ]);
});

test('from scratch there is nothing but what layers bring', async () => {
  const vm = await openStage({ rootfs: null });
  const other = await openStage();
  await sh(other, 'mkdir /only; cp /bin/busybox /only/sh');
  await vm.addLayer(bytesOf(await layerOf(other)));
  const listed = await run(vm, shell('', { args: ['/only/sh', '-c', 'echo /*; echo hi > /made'] }));
  expect(listed).toEqual({ exitCode: 0, stdout: '/dev /etc /only /proc /sys\n', stderr: '' });
  expect(described(await layerOf(vm))).toEqual(['file made 644 0:0 "hi\\n"']);
});

test('output that nobody takes holds the command up, and nothing is lost', async () => {
  const vm = await openStage();
  let [bytes, waiting] = [0, 0];
  const { exitCode } = await vm.run(shell('head -c 3000000 /dev/zero; head -c 70000 /dev/zero >&2'), {
    stdout: async (piece) => {
      waiting += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(waiting).toBe(1);
      waiting -= 1;
      bytes += piece.length;
    },
    stderr: (piece) => void (bytes += piece.length),
  });
  expect({ exitCode, bytes }).toEqual({ exitCode: 0, bytes: 3_070_000 });
});
