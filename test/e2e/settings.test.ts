import { describe, expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('settings');

/** stdout of a box that must succeed; flags stand before the script. */
const sh = (flags: readonly string[], script: string): Promise<string> =>
  a3sOk(['run', '--rm', ...flags, 'a3s/base', 'sh', '-c', script]);

describe('rights', () => {
  test.each([
    [['--cap-drop', 'ALL'], '0000000000000000'],
    [['--cap-drop', 'all', '--cap-add', 'chown'], '0000000000000001'],
    [['--cap-add', 'CAP_NET_ADMIN'], '00000000a80435fb'],
    [['--cap-add', 'ALL', '--cap-drop', 'sys_admin'], '000001ffffdfffff'],
    [['--privileged'], '000001ffffffffff'],
  ])('%j', async (flags, set) => {
    expect(await sh(flags, 'grep CapEff /proc/self/status')).toBe(`CapEff:\t${set}`);
  });

  test('--privileged makes /proc and /sys writable and hides nothing', async () => {
    const script =
      'echo 1 >/proc/sys/net/ipv4/ip_forward && cat /proc/sys/net/ipv4/ip_forward; cut -d" " -f2 /proc/mounts | grep -E "^/(proc|sys)"';
    expect(await sh(['--privileged'], script)).toBe('1\n/proc\n/sys\n/sys/fs/cgroup');
  });

  test('--security-opt no-new-privileges', async () => {
    const script = 'grep NoNewPrivs /proc/self/status';
    expect(await sh(['--security-opt', 'no-new-privileges'], script)).toBe('NoNewPrivs:\t1');
    expect(await sh(['--security-opt', 'no-new-privileges:false'], script)).toBe('NoNewPrivs:\t0');
  });

  test('exec has the box’s rights and limits, and all capabilities with --privileged', async () => {
    const flags = [
      '--cap-drop',
      'ALL',
      '--ulimit',
      'nofile=77',
      '--group-add',
      '4711',
      '--oom-score-adj',
      '300',
    ];
    const box = await boxes.detached('rights', [...flags, 'a3s/base', 'sleep', '600']);
    const script = 'grep CapEff /proc/self/status; ulimit -n; id -G; cat /proc/self/oom_score_adj';
    expect(await a3sOk(['exec', box, 'sh', '-c', script])).toBe('CapEff:\t0000000000000000\n77\n0 4711\n300');
    expect(await a3sOk(['exec', '--privileged', box, 'grep', 'CapEff', '/proc/self/status'])).toBe(
      'CapEff:\t000001ffffffffff',
    );
  });
});

describe('limits', () => {
  test('--ulimit, --shm-size, --oom-score-adj, --pids-limit and --memory-reservation', async () => {
    const flags = ['--ulimit', 'nofile=100:200', '--ulimit', 'core=0', '--shm-size', '1m'];
    const more = ['--oom-score-adj', '500', '--pids-limit', '20', '--memory-reservation', '100m'];
    const script = `ulimit -n; ulimit -Hn; ulimit -c; df -k /dev/shm | awk 'NR==2 { print $2 }'
      cat /proc/self/oom_score_adj /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.low`;
    expect(await sh([...flags, ...more], script)).toBe('100\n200\n0\n1024\n500\n20\n104857600');
  });

  test('a box that may have no more processes refuses a command and goes on', async () => {
    const name = await boxes.detached('full', [
      '--pids-limit',
      '2',
      'a3s/base',
      'sh',
      '-c',
      'sleep 1000 & echo full; wait',
    ]);
    await until('its second process', async () => (await a3sOk(['logs', name])) === 'full');
    expect(await a3s(['exec', name, 'true'])).toMatchObject({
      status: 125,
      out: '',
      err: expect.stringMatching(/resource temporarily unavailable\n$/),
    });
    expect((await a3sOk(['top', name, '-o', 'cmd'])).split('\n')).toHaveLength(3);
    expect(await a3sOk(['inspect', '-f', '{{.State.Status}}', name])).toBe('running');
  });

  test('--cpu-quota and --cpu-period are a number of CPUs', async () => {
    const flags = ['--cpu-quota', '25000', '--cpu-period', '50000'];
    expect(await sh(flags, 'cat /sys/fs/cgroup/cpu.max; nproc')).toBe('50000 100000\n1');
  });

  test('--storage-opt size bounds the disk, for root too and after a restart', async () => {
    const name = boxes.name('disk');
    const script = 'dd if=/dev/zero of=/file bs=64k count=500 2>&1 | head -n 1; wc -c </file';
    const first = await a3s([
      'run',
      '--name',
      name,
      '--storage-opt',
      'size=20m',
      'a3s/base',
      'sh',
      '-c',
      script,
    ]);
    const [words, size] = first.out.split('\n');
    expect(words).toBe("dd: error writing '/file': No space left on device");
    expect(Number(size)).toBeGreaterThan(20 * 1024 * 1024 * 0.95);
    expect(Number(size)).toBeLessThanOrEqual(20 * 1024 * 1024);
    const second = await a3s(['start', '-a', name]);
    expect([second.status, second.out]).toEqual([0, first.out]);
  });
});

describe('names and kernel parameters', () => {
  test('--add-host, --domainname, --dns-search and --dns-option', async () => {
    const hosts = ['--add-host', 'one:192.0.2.1', '--add-host', 'six=[2001:db8::1]'];
    const names = ['--hostname', 'web', '--domainname', 'example.org'];
    const dns = ['--dns', '192.0.2.53', '--dns-search', 'a.example', '--dns-search', 'b.example'];
    const script = 'tail -n 3 /etc/hosts; cat /etc/resolv.conf /proc/sys/kernel/domainname';
    expect(
      await sh([...hosts, ...names, ...dns, '--dns-option', 'ndots:2', '--dns-opt', 'rotate'], script),
    ).toBe(
      '192.0.2.1\tone\n2001:db8::1\tsix\n10.0.2.15 web.example.org web\n' +
        'nameserver 192.0.2.53\nsearch a.example b.example\noptions ndots:2 rotate\nexample.org',
    );
  });

  test('--add-host works without a network', async () => {
    const flags = ['--network', 'none', '--add-host', 'one:192.0.2.1'];
    expect(await sh(flags, 'tail -n 1 /etc/hosts')).toBe('192.0.2.1\tone');
  });

  test('--sysctl sets parameters of the box’s own namespaces, which stay read-only inside', async () => {
    const flags = ['--sysctl', 'net.ipv4.ip_forward=1', '--sysctl', 'kernel.shmmax=12345'];
    const script = `cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax
      (echo 0 >/proc/sys/net/ipv4/ip_forward) 2>&1 | sed 's/.*: //'`;
    expect(await sh(flags, script)).toBe('1\n12345\nRead-only file system');
  });

  test('an unknown parameter and an unknown group are told, and leave nothing', async () => {
    const sysctl = await a3s(['run', '--rm', '--sysctl', 'net.nosuch=1', 'a3s/base', 'true']);
    expect([sysctl.status, sysctl.err.split('\n')[0]]).toEqual([
      125,
      'a3s-box: /proc/sys/net/nosuch: no such file or directory',
    ]);
    const group = await a3s(['run', '--rm', '--group-add', 'nosuch', 'a3s/base', 'true']);
    expect([group.status, group.err.split('\n')[0]]).toEqual([
      125,
      'a3s-box: Error response from daemon: Unable to find group nosuch: no matching entries in group file',
    ]);
  });
});

test('inspect shows the settings in the fields of docker’s HostConfig', async () => {
  const name = boxes.name('inspected');
  const flags = ['--cap-add', 'sys_time', '--annotation', 'a=b', '--sysctl', 'net.ipv4.ip_forward=1'];
  const more = ['--ulimit', 'nofile=5:6', '--storage-opt', 'size=1g', '--pids-limit', '9', '--privileged'];
  await a3sOk(['create', '--name', name, ...flags, ...more, 'a3s/base', 'true']);
  const config: unknown = JSON.parse(await a3sOk(['inspect', '-f', '{{json .HostConfig}}', name]));
  expect(config).toMatchObject({
    Annotations: { a: 'b' },
    CapAdd: ['CAP_SYS_TIME'],
    CapDrop: null,
    LogConfig: { Type: 'json-file', Config: {} },
    PidsLimit: 9,
    Privileged: true,
    ShmSize: 67_108_864,
    StorageOpt: { size: '1073741824' },
    Sysctls: { 'net.ipv4.ip_forward': '1' },
    Ulimits: [{ Name: 'nofile', Hard: 6, Soft: 5 }],
  });
});
