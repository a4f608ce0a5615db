/** The flags that `run` and `create` share. */
import type { FlagSet } from './flags/spec.ts';
import { healthFlags } from './health-flags.ts';
import { impossibleFlags, settingsFlags } from './settings-flags.ts';

export const boxFlags = {
  attach: { kind: 'stream', short: 'a', help: 'Attach to STDIN, STDOUT or STDERR' },
  cidfile: { kind: 'string', help: 'Write the box ID to the file' },
  cpus: { kind: 'decimal', help: 'Number of CPUs', default: '2' },
  dns: { kind: 'address', help: 'Set custom DNS servers' },
  entrypoint: { kind: 'string', help: 'Overwrite the default ENTRYPOINT of the image' },
  env: { kind: 'env', short: 'e', help: 'Set environment variables' },
  'env-file': { kind: 'list', help: 'Read in a file of environment variables' },
  expose: { kind: 'list', help: 'Expose a port or a range of ports' },
  ...healthFlags,
  hostname: { kind: 'string', short: 'h', help: 'Box host name' },
  init: {
    kind: 'bool',
    help: 'Run an init inside the box that forwards signals and reaps processes',
  },
  interactive: { kind: 'bool', short: 'i', help: 'Keep STDIN open even if not attached' },
  label: { kind: 'label', short: 'l', help: 'Set meta data on a box' },
  'label-file': { kind: 'list', help: 'Read in a line delimited file of labels' },
  memory: { kind: 'bytes', short: 'm', help: 'Memory of the box', default: '512m' },
  mount: {
    kind: 'mount',
    help: 'Attach a filesystem mount to the box',
    partly:
      '`bind`, `volume` and `tmpfs`; no propagation, no `volume-driver` but `local`, no `volume-opt`; `bind-recursive` is `enabled` or `writable`',
  },
  name: { kind: 'string', help: 'Assign a name to the box' },
  network: {
    kind: 'network',
    help: 'Connect a box to a network (default|none)',
    partly: '`default`, `bridge` and `none`',
  },
  net: { kind: 'network', help: '', aliasOf: 'network' },
  platform: {
    kind: 'string',
    help: 'Platform of the image (linux/amd64)',
    partly: "`linux` on the host's processor, which runs in the VM",
  },
  publish: {
    kind: 'list',
    short: 'p',
    help: "Publish a box's port(s) to the host",
    partly: 'on IPv4 addresses; no SCTP',
  },
  'publish-all': { kind: 'bool', short: 'P', help: 'Publish all exposed ports to random ports' },
  pull: {
    kind: 'string',
    help: 'Pull image before running ("always", "missing", "never")',
    default: 'missing',
  },
  quiet: { kind: 'bool', short: 'q', help: 'Suppress the pull output' },
  'read-only': { kind: 'bool', help: "Mount the box's root filesystem as read only" },
  restart: {
    kind: 'string',
    help: 'Restart policy to apply when a box exits',
    default: 'no',
  },
  rm: { kind: 'bool', help: 'Automatically remove the box when it exits' },
  'stop-signal': { kind: 'string', help: 'Signal to stop the box' },
  'stop-timeout': { kind: 'int', help: 'Timeout (in seconds) to stop a box' },
  tmpfs: { kind: 'list', help: 'Mount a tmpfs directory' },
  tty: { kind: 'bool', short: 't', help: 'Allocate a pseudo-TTY' },
  user: { kind: 'string', short: 'u', help: 'Username or UID (format: <name|uid>[:<group|gid>])' },
  volume: {
    kind: 'list',
    short: 'v',
    help: 'Bind mount a volume, or a directory or file of the host',
    partly: 'no propagation',
  },
  workdir: { kind: 'string', short: 'w', help: 'Working directory inside the box' },

  ...settingsFlags,
  ...impossibleFlags,
} as const satisfies FlagSet;
