/** The flags of `run` and `create` that set up the box's kernel, rights and limits, and those that a box has no use for. */
import { type FlagSet, never } from './flags/spec.ts';

export const settingsFlags = {
  'add-host': { kind: 'extraHost', help: 'Add a custom host-to-IP mapping (host:ip)' },
  annotation: { kind: 'map', help: 'Add an annotation to the box' },
  'cap-add': { kind: 'list', help: 'Add Linux capabilities' },
  'cap-drop': { kind: 'list', help: 'Drop Linux capabilities' },
  'cpu-period': { kind: 'int', help: 'Length of a CPU period in microseconds, with --cpu-quota' },
  'cpu-quota': { kind: 'int', help: 'CPU time per period in microseconds, instead of --cpus' },
  'dns-opt': { kind: 'list', help: '', aliasOf: 'dns-option' },
  'dns-option': { kind: 'list', help: 'Set DNS options' },
  'dns-search': { kind: 'domain', help: 'Set custom DNS search domains' },
  domainname: { kind: 'string', help: 'Box NIS domain name' },
  'group-add': { kind: 'list', help: 'Add additional groups to join' },
  'log-driver': {
    kind: 'string',
    help: 'Logging driver for the box (json-file|none)',
    partly: '`json-file` and `none`',
  },
  'log-opt': {
    kind: 'list',
    help: 'Log driver options',
    partly: '`max-size`, `max-file`, `labels`, `env`, `mode=blocking`, `compress=false`',
  },
  'memory-reservation': { kind: 'bytes', help: 'Memory soft limit' },
  'memory-swap': {
    kind: 'swap',
    help: 'Memory and swap together; a box has no swap, so it equals the memory or is -1',
    partly: 'what `--memory` is, or -1: a box has no swap',
  },
  'oom-score-adj': { kind: 'int', help: "Tune the box's OOM preferences (-1000 to 1000)" },
  'pids-limit': { kind: 'int', help: 'Tune box pids limit (set -1 for unlimited)' },
  privileged: { kind: 'bool', help: 'Give extended privileges to this box' },
  'security-opt': {
    kind: 'list',
    help: 'Security options (no-new-privileges)',
    partly:
      '`no-new-privileges`, and what does without a profile (`seccomp=unconfined`, `apparmor=unconfined`, `label=disable`): a box is confined by its VM',
  },
  'shm-size': { kind: 'bytes', help: 'Size of /dev/shm' },
  'storage-opt': {
    kind: 'list',
    help: 'Storage options of the box (size=BYTES)',
    partly: '`size` from 1m to 64g',
  },
  sysctl: { kind: 'sysctl', help: 'Sysctl options' },
  ulimit: { kind: 'ulimit', help: 'Ulimit options' },
} as const satisfies FlagSet;

const OWN_DISK = "a box's disk is a file of its own, and no other process uses it inside its VM";
const NO_DEVICE = "a VM has no access to the host's devices";
const OWN_CPUS = "a box's CPUs are those of its VM; ask for a number of them with --cpus";
const OWN_NETWORK = 'a box is alone on its network, which has the same addresses for each';
const OWN_KERNEL = 'a box has a kernel of its own and shares no namespace with the host or with another box';
const WINDOWS = "Docker's engine has it on Windows only";

export const impossibleFlags = {
  'blkio-weight': never('string', OWN_DISK, '0'),
  'blkio-weight-device': never('list', NO_DEVICE),
  'cgroup-parent': never('string', 'the processes of a box are in a control group of its own kernel', ''),
  cgroupns: never('string', OWN_KERNEL, '', 'private'),
  'cpu-count': never('string', WINDOWS, '0'),
  'cpu-percent': never('string', WINDOWS, '0'),
  'cpu-rt-period': never('string', 'control groups of version 2 have no real-time limits', '0'),
  'cpu-rt-runtime': never('string', 'control groups of version 2 have no real-time limits', '0'),
  'cpu-shares': {
    ...never('int', `nothing competes with the workload for the CPUs of its VM; limit it with --cpus`, '0'),
    short: 'c',
  },
  'cpuset-cpus': never('string', OWN_CPUS, ''),
  'cpuset-mems': never('string', OWN_CPUS, ''),
  device: never('list', NO_DEVICE),
  'device-cgroup-rule': never('list', "a box may use every device of its VM; none is the host's"),
  'device-read-bps': never('list', NO_DEVICE),
  'device-read-iops': never('list', NO_DEVICE),
  'device-write-bps': never('list', NO_DEVICE),
  'device-write-iops': never('list', NO_DEVICE),
  'disable-content-trust': {
    ...never('bool', 'images are told by their digests, and no signature is looked for'),
    default: 'true',
  },
  gpus: never('string', NO_DEVICE),
  'io-maxbandwidth': never('string', WINDOWS, '0'),
  'io-maxiops': never('string', WINDOWS, '0'),
  ip: never('string', OWN_NETWORK, ''),
  ip6: never('string', OWN_NETWORK, ''),
  ipc: never('string', OWN_KERNEL, '', 'private', 'shareable'),
  isolation: never('string', WINDOWS, '', 'default'),
  'kernel-memory': never('string', 'control groups of version 2 do not tell kernel memory from other', '0'),
  link: never('list', OWN_NETWORK),
  'link-local-ip': never('list', OWN_NETWORK),
  'mac-address': never('string', OWN_NETWORK, ''),
  'memory-swappiness': never('string', 'a box has no swap; give it what it needs with --memory', '-1', '0'),
  'net-alias': never('list', OWN_NETWORK),
  'network-alias': never('list', OWN_NETWORK),
  'oom-kill-disable': never('bool', 'control groups of version 2 always kill; see --oom-score-adj'),
  pid: never('string', OWN_KERNEL, '', 'private'),
  runtime: never('string', 'the runtime is the microVM', '', 'a3s-box'),
  'use-api-socket': never('bool', 'there is no daemon whose socket a box could use'),
  userns: never('string', OWN_KERNEL, '', 'host'),
  uts: never('string', OWN_KERNEL, '', 'private'),
  'volume-driver': never('string', 'the driver of every volume is local', '', 'local'),
  'volumes-from': never('list', 'give the box its mounts with --volume or --mount'),
} as const satisfies FlagSet;
