/** Which inputs are no bad ones for which flags. What is not listed must be refused. */

/** What every flag with a value is given. */
export const inputs = {
  empty: '',
  float: '1e30',
  integer: '9'.repeat(30),
  large: String(Number.MAX_SAFE_INTEGER),
  text: 'x'.repeat(100_000),
  digits: '9'.repeat(100_000),
  negative: '-1',
  unicode: 'ünïcödé ☃',
  unit: '12parsecs',
  line: 'a\nb',
  escape: 'a\u001b[31m\u202eb',
};
export type Input = keyof typeof inputs;

const ANY = 'empty float integer large text digits negative unicode unit line escape';
const NOT_EMPTY = 'float integer large text digits negative unicode unit line escape';
/** What is a file's name, but not a long one. */
const PATH = 'float integer large negative unicode unit line escape';

/** Flags that some commands have and others refuse. */
const of = (commands: string, flag: string, list: string): Record<string, string> =>
  Object.fromEntries(commands.split(' ').map((command) => [`${command} ${flag}`, list]));

/** By the flag, or by the command and the flag where it differs; `as Docker` means that its client and engine take it, too. */
const ACCEPTED: Readonly<Record<string, string>> = {
  // No quota, no limit, as much swap as there is.
  ...of('run create', '--cpu-quota', 'negative'),
  ...of('run create', '--memory-swap', 'negative'),
  ...of('run create update', '--pids-limit', 'negative'),
  // What that is to a box is known once there is one.
  ...of('update', '--cpu-quota', 'large negative'),
  ...of('update', '--memory-reservation', 'large'),
  ...of('update', '--memory-swap', 'large negative'),
  ...of('run create pull load import', '--platform', 'empty'),
  '--annotation': ANY,
  '--author': ANY,
  '--cidfile': `empty ${PATH}`,
  // Read once there is a box to attach to.
  'start --detach-keys': ANY,
  '--detach-keys': 'empty',
  '--dns-opt': ANY,
  '--dns-option': ANY,
  // Names of hosts: letters, digits and dots.
  '--dns-search': 'float unit',
  '--driver': 'empty',
  '--domainname': 'empty float integer large negative unit',
  '--entrypoint': ANY,
  '--env': NOT_EMPTY,
  // An empty filter filters nothing, as Docker.
  '--filter': 'empty',
  // A template without an action is text.
  '--format': ANY,
  // The box knows its groups, users and directories; it is asked when the command starts.
  '--group-add': ANY,
  '--health-cmd': ANY,
  '--health-retries': 'large',
  '--hostname': 'empty float integer large unit',
  '--input': 'empty',
  '--keep-storage': 'large',
  '--label': 'float integer large text digits negative unit line escape',
  // As Docker: not positive is no limit.
  '--last': 'large negative',
  '--log-driver': 'empty',
  '--max-used-space': 'large',
  '--message': ANY,
  '--min-free-space': 'large',
  '--name': 'empty float integer large unit',
  '--oom-score-adj': 'negative',
  '--output': ANY,
  '--password': NOT_EMPTY,
  '--pull': 'empty',
  '--reserved-space': 'large',
  '--restart': 'empty',
  '--shm-size': 'large',
  // As Docker: a box that does not run needs no signal.
  'stop --signal': ANY,
  'restart --signal': ANY,
  '--since': 'empty large',
  '--stop-signal': 'empty',
  '--stop-timeout': 'large negative',
  '--tail': 'empty integer large digits',
  '--time': 'large negative',
  '--timeout': 'large negative',
  'exec --timeout': 'large',
  '--until': 'empty large',
  '--user': ANY,
  '--username': NOT_EMPTY,
  'create --workdir': 'empty',
  '--workdir': ANY,
  // As Docker: what a build takes from elsewhere is looked at when it is used; the context comes first.
  'build --annotation': 'empty',
  '--build-arg': NOT_EMPTY,
  '--build-context': 'empty',
  '--builder': 'empty',
  '--cache-from': ANY,
  '--call': 'empty',
  '--file': ANY,
  '--iidfile': `empty ${PATH}`,
  'build --label': NOT_EMPTY,
  '--metadata-file': ANY,
  'build --network': 'empty',
  '--no-cache-filter': ANY,
  'build --output': `empty ${PATH}`,
  'build --platform': 'empty',
  '--print': 'empty',
  '--progress': 'empty',
  '--provenance': 'empty',
  '--sbom': 'empty',
  '--tag': 'float integer large unit',
  '--target': ANY,
  'build --cgroup-parent': 'empty',
  'build --cpuset-cpus': 'empty',
  'build --cpuset-mems': 'empty',
  'build --isolation': 'empty',
  'build --memory-swap': 'negative',
  // Refused flags whose empty or negative value asks for what happens anyway.
  ...of('run create', '--cgroup-parent', 'empty'),
  ...of('run create', '--cgroupns', 'empty'),
  ...of('run create', '--cpuset-cpus', 'empty'),
  ...of('run create', '--cpuset-mems', 'empty'),
  ...of('run create', '--ipc', 'empty'),
  ...of('run create', '--isolation', 'empty'),
  ...of('run create', '--memory-swappiness', 'negative'),
  ...of('run create', '--pid', 'empty'),
  ...of('run create', '--runtime', 'empty'),
  ...of('run create', '--userns', 'empty'),
  ...of('run create', '--uts', 'empty'),
};

/** @param flag with its dashes */
export function accepts(command: string, flag: string, input: string): boolean {
  const list = ACCEPTED[`${command} ${flag}`] ?? ACCEPTED[flag] ?? '';
  return list.split(' ').includes(input);
}
