import { describe, expect, test } from 'vitest';

import { boxSettings, cpus } from '../../../src/commands/box-settings.ts';
import { boxFlags } from '../../../src/commands/box-flags.ts';
import { parseFlags } from '../../../src/commands/flags/parse.ts';

const parse = (args: readonly string[]) => parseFlags(boxFlags, args, { interspersed: false });
const settings = (...args: string[]) => boxSettings(parse(args).values);

describe('values that docker takes', () => {
  test.for<[string[], object]>([
    [['--add-host', 'a:1.2.3.4'], { extra_hosts: ['a:1.2.3.4'] }],
    [['--add-host', 'a=[::1]'], { extra_hosts: ['a:::1'] }],
    [['--annotation', 'a=b=c', '--annotation', 'd'], { annotations: { a: 'b=c', d: '' } }],
    [['--cap-add', 'net_raw', '--cap-add', 'CAP_CHOWN'], { cap_add: ['CAP_CHOWN', 'CAP_NET_RAW'] }],
    [['--cap-drop', 'chown', '--cap-drop', 'all'], { cap_drop: ['ALL'] }],
    [['--dns-opt', 'ndots:1', '--dns-option', 'rotate'], { dns_options: ['ndots:1', 'rotate'] }],
    [['--dns-search', '.'], { dns_search: ['.'] }],
    [
      ['--log-opt', 'max-size=10k', '--log-opt', 'max-file=3'],
      { log_options: { 'max-size': '10k', 'max-file': '3' } },
    ],
    [['--memory-swap', '-1'], { memory_swap: -1 }],
    [['--pids-limit', '-1'], { pids_limit: 0 }],
    [['--security-opt', 'no-new-privileges'], { no_new_privileges: true }],
    [['--security-opt', 'no-new-privileges=false'], { no_new_privileges: false }],
    [['--security-opt', 'seccomp=unconfined'], { security_options: ['seccomp=unconfined'] }],
    [['--storage-opt', 'size=1g'], { storage_size: 1_073_741_824 }],
    [['--sysctl', 'net.ipv4.ip_forward=1'], { sysctls: { 'net.ipv4.ip_forward': '1' } }],
    [['--sysctl', 'vm.swappiness=1'], { sysctls: { 'vm.swappiness': '1' } }],
    [
      ['--ulimit', 'nofile=1:-1', '--ulimit', 'cpu=5'],
      {
        ulimits: [
          { name: 'nofile', soft: 1, hard: -1 },
          { name: 'cpu', soft: 5, hard: 5 },
        ],
      },
    ],
  ])('%j', ([args, expected]) => {
    expect(settings(...args)).toMatchObject(expected);
  });

  test('what was not asked for has no setting but its default', () => {
    expect(settings()).toEqual({
      log_driver: 'json-file',
      log_options: {},
      no_new_privileges: false,
      privileged: false,
    });
  });
});

describe('values that docker refuses, in its words', () => {
  test.for<[string, string, string]>([
    ['add-host', 'a', 'bad format for add-host: "a"'],
    ['add-host', ':1.2.3.4', 'bad format for add-host: ":1.2.3.4"'],
    ['add-host', 'a:b', 'invalid IP address in add-host: "b"'],
    ['dns-search', '-x', '-x is not a valid domain'],
    ['dns-search', '', ' is not a valid domain'],
    ['memory-swap', '-2', "invalid size: '-2'"],
    ['shm-size', '1q', "invalid suffix: 'q'"],
    ['pids-limit', 'many', 'strconv.ParseInt: parsing "many": invalid syntax'],
    ['sysctl', 'net', "sysctl 'net' is not allowed"],
    ['sysctl', 'net.../x=1', "sysctl 'net.../x=1' is not allowed"],
    ['ulimit', 'nofile', 'invalid ulimit argument: nofile'],
    ['ulimit', 'files=1', 'invalid ulimit type: files'],
    ['ulimit', 'nofile=', 'strconv.ParseInt: parsing "": invalid syntax'],
    [
      'ulimit',
      'nofile=99999999999999999999',
      'strconv.ParseInt: parsing "99999999999999999999": value out of range',
    ],
    ['ulimit', 'nofile=2:1', 'ulimit soft limit must be less than or equal to hard limit: 2 > 1'],
    ['ulimit', 'nofile=-1:1', 'ulimit soft limit must be less than or equal to hard limit: -1 > 1'],
    [
      'ulimit',
      'nofile=1:2:3',
      'too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`',
    ],
  ])('--%s %j', ([flag, value, why]) => {
    expect(() => settings(`--${flag}=${value}`)).toThrow(
      expect.objectContaining({
        code: 'usage',
        exitStatus: 125,
        message: `invalid argument "${value}" for "--${flag}" flag: ${why}`,
      }),
    );
  });

  test.for<[string, string, string]>([
    ['cap-add', 'nosuch', 'invalid CapAdd: unknown capability: "CAP_NOSUCH"'],
    ['cap-drop', '', 'invalid CapDrop: unknown capability: "CAP_"'],
    ['log-driver', 'nosuch', "logger: no log driver named 'nosuch' is registered"],
    ['log-opt', 'max-size=x', "invalid value for max-size: invalid size: 'x'"],
    ['log-opt', 'max-size=0', "invalid value for max-size: invalid size: '0'"],
    ['log-opt', 'max-file=0', 'max-file cannot be less than 1'],
    ['log-opt', 'nosuch=1', "unknown log opt 'nosuch' for json-file log driver"],
    ['security-opt', 'nosuch=1', 'invalid --security-opt 2: "nosuch=1"'],
    ['security-opt', 'no-new-privileges=maybe', 'invalid --security-opt 2: "no-new-privileges=maybe"'],
    ['storage-opt', 'nosuch=1', 'Unknown option nosuch'],
  ])('--%s %j', ([flag, value, message]) => {
    expect(() => settings(`--${flag}=${value}`)).toThrow(
      expect.objectContaining({ code: 'invalid_config', message }),
    );
  });
});

test.for<[string, string]>([
  [
    '--log-driver=syslog',
    '--log-driver syslog is not supported: a box keeps its output in a file of its own (json-file) or not at all (none)',
  ],
  ['--log-opt=tag=x', '--log-opt tag is not supported yet'],
  ['--log-opt=mode=non-blocking', '--log-opt mode=non-blocking is not supported yet'],
  [
    '--security-opt=seccomp=x.json',
    '--security-opt seccomp=x.json is not supported: a box is confined by its VM, not by a profile',
  ],
  [
    '--security-opt=systempaths=unconfined',
    '--security-opt systempaths=unconfined is not supported: --privileged shows the hidden paths',
  ],
  [
    '--add-host=a:host-gateway',
    '--add-host with host-gateway is not supported: a box has no way to the services of its host',
  ],
  [
    '--ipc=host',
    '--ipc is not supported: a box has a kernel of its own and shares no namespace with the host or with another box',
  ],
  [
    '--oom-kill-disable',
    '--oom-kill-disable is not supported: control groups of version 2 always kill; see --oom-score-adj',
  ],
])('%s is refused with the reason', ([arg, message]) => {
  expect(() => settings(arg)).toThrow(
    expect.objectContaining({ code: 'unsupported', exitStatus: 125, message }),
  );
});

test.each([
  '--ipc=private',
  '--cgroupns=private',
  '--userns=host',
  '--isolation=default',
  '--oom-kill-disable=false',
  '--memory-swappiness=-1',
])('%s asks for what happens anyway', (arg) => {
  expect(() => settings(arg)).not.toThrow();
});

test('CPUs are a number or a quota per period, not both', () => {
  const given = (...args: string[]): number => {
    const parsed = parse(args);
    return cpus(parsed.values, parsed.given.has('cpus'));
  };
  expect(given()).toBe(2);
  expect(given('--cpus', '0')).toBe(2);
  expect(given('--cpu-quota', '150000')).toBe(1.5);
  expect(given('--cpu-quota', '5000', '--cpu-period', '10000')).toBe(0.5);
  expect(given('--cpu-quota', '-1')).toBe(2);
  expect(() => given('--cpus', '1', '--cpu-quota', '5000')).toThrow(
    'Conflicting options: Nano CPUs and CPU Quota cannot both be set.',
  );
  expect(() => given('--cpu-quota', '10')).toThrow('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  expect(() => given('--cpu-period', '10')).toThrow(
    'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  );
});
