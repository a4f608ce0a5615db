/** The flags of `build`: those of docker 28 with buildx, hidden ones of the builder before it included. */
import { type FlagSet, never } from '../flags/spec.ts';

/** `build` of docker is BuildKit's; what only its predecessor had is not in its help, and not in ours. */
const hidden = { help: '', hidden: true } as const;

const OWN_CPUS = 'the CPUs of a build are those of its VMs; ask for a number of them with --cpus';
const NO_ATTESTATIONS = 'a build makes images without attestations';

export const buildFlags = {
  'add-host': {
    kind: 'extraHost',
    help: 'Add a custom host-to-IP mapping (format: "host:ip")',
    partly: 'no `host-gateway`: a build has no way to the services of its host',
  },
  annotation: {
    kind: 'list',
    help: 'Add annotation to the image',
    partly: 'of the manifest; there is no index',
  },
  'build-arg': { kind: 'list', help: 'Set build-time variables' },
  'build-context': { kind: 'list', help: 'Additional build contexts (e.g., name=path)' },
  'cache-from': {
    kind: 'list',
    help: 'Local images whose layers may be used again',
    partly: 'images that are here; no `type=` but `registry`',
    values: 'image',
  },
  call: {
    kind: 'string',
    help: 'Set method for evaluating build ("check", "outline", "targets")',
    default: 'build',
    partly: '`check`, `outline` and `targets`; images that are not here are not looked at',
    values: ['build', 'check', 'outline', 'targets'],
  },
  check: { kind: 'bool', help: 'Shorthand for "--call=check"' },
  cpus: { kind: 'decimal', help: 'Number of CPUs for the "RUN" instructions', default: '2' },
  debug: { kind: 'bool', short: 'D', help: 'Show warnings in full' },
  file: { kind: 'string', short: 'f', help: 'Name of the Dockerfile (default: "PATH/Dockerfile")' },
  iidfile: { kind: 'string', help: 'Write the image ID to a file' },
  label: { kind: 'list', help: 'Set metadata for an image' },
  load: { kind: 'bool', help: 'Shorthand for "--output=type=docker"' },
  memory: { kind: 'bytes', short: 'm', help: 'Memory for the "RUN" instructions', default: '2g' },
  'metadata-file': { kind: 'string', help: 'Write build result metadata to a file' },
  network: {
    kind: 'string',
    help: 'Set the networking mode for the "RUN" instructions during build',
    default: 'default',
    partly: '`default` and `none`',
    values: ['default', 'none'],
  },
  'no-cache': { kind: 'bool', help: 'Do not use cache when building the image' },
  'no-cache-filter': { kind: 'list', help: 'Do not cache specified stages' },
  output: { kind: 'list', short: 'o', help: 'Output destination (format: "type=local,dest=path")' },
  platform: {
    kind: 'list',
    help: 'Set target platform for build',
    partly: 'one; what it runs is what the host runs',
  },
  progress: {
    kind: 'string',
    help: 'Set type of progress output ("auto", "none", "plain", "quiet", "rawjson", "tty"). Use plain to show box output',
    default: 'auto',
    values: ['auto', 'none', 'plain', 'quiet', 'rawjson', 'tty'],
  },
  pull: { kind: 'bool', help: 'Always attempt to pull all referenced images' },
  push: { kind: 'bool', help: 'Shorthand for "--output=type=registry"' },
  quiet: { kind: 'bool', short: 'q', help: 'Suppress the build output and print image ID on success' },
  secret: { kind: 'list', help: 'Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")' },
  'shm-size': { kind: 'bytes', help: 'Size of /dev/shm for the "RUN" instructions' },
  ssh: {
    kind: 'list',
    help: 'SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>|<key>[,<key>]]")',
  },
  tag: { kind: 'list', short: 't', help: 'Name and optionally a tag (format: "name:tag")', values: 'image' },
  target: { kind: 'string', help: 'Set the target build stage to build' },
  ulimit: { kind: 'ulimit', help: 'Ulimit options' },

  // What they ask for is so, however the build is called: nothing is sent anywhere, and no box stays behind.
  compress: { kind: 'bool', ...hidden },
  'force-rm': { kind: 'bool', ...hidden },
  rm: { ...never('bool', 'no box stays behind after a step'), default: 'true' },
  print: { kind: 'string', ...hidden, aliasOf: 'call' },

  allow: never('list', 'a build has no way to the network or the devices of its host'),
  attest: never('list', NO_ATTESTATIONS, 'type=provenance,disabled=true', 'type=sbom,disabled=true'),
  builder: never('string', 'the builder is a3s-box itself', '', 'default'),
  'cache-to': never('list', 'the cache of builds is a part of the state directory'),
  'cgroup-parent': never('string', 'the processes of a build are in a control group of their own kernel', ''),
  'cpu-period': never('int', OWN_CPUS, '0'),
  'cpu-quota': never('int', OWN_CPUS, '0'),
  'cpu-shares': { ...never('int', OWN_CPUS, '0'), short: 'c' },
  'cpuset-cpus': never('string', OWN_CPUS, ''),
  'cpuset-mems': never('string', OWN_CPUS, ''),
  'disable-content-trust': {
    ...never('bool', 'images are told by their digests, and no signature is looked for'),
    default: 'true',
  },
  isolation: never('string', "Docker's engine has it on Windows only", '', 'default'),
  'memory-swap': never('swap', 'the VM of a build has no swap', '-1'),
  provenance: never('string', NO_ATTESTATIONS, '', 'false'),
  sbom: never('string', NO_ATTESTATIONS, '', 'false'),
  'security-opt': never('list', 'a step has the rights that RUN --security gives it'),
  squash: never('bool', 'BuildKit has no such thing either; copy what is wanted into a stage of its own'),
} as const satisfies FlagSet;
