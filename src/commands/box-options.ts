/** From the flags of `run` and `create` to what the engine takes. */
import { type ClientConfig, withProxies } from '../engine/client-config.ts';
import { checkPlatformName } from '../engine/images.ts';
import { parseExpose } from '../engine/exposed-ports.ts';
import { parsePublish } from '../engine/ports.ts';
import { parseRestartPolicy } from '../engine/restart-policy.ts';
import { parseSignal } from '../engine/signals.ts';
import type { CreateOptions } from '../engine/types.ts';
import type { MountRequest, ParsedMount } from '../engine/volumes/mount-request.ts';
import { parseTmpfs } from '../engine/volumes/parse-tmpfs.ts';
import { parseVolume } from '../engine/volumes/parse-volume.ts';
import { A3sError } from '../errors.ts';
import type { boxFlags } from './box-flags.ts';
import { boxSettings, cpus } from './box-settings.ts';
import { platformOf } from './default-platform.ts';
import { readEnvironment } from './environment.ts';
import type { FlagValues } from './flags/spec.ts';
import { healthCheckFlags } from './health-flags.ts';
import { readLabels } from './labels.ts';

export type BoxFlagValues = FlagValues<typeof boxFlags>;

/**
 * @param operands IMAGE and the command; a `--` between them is not part of the command
 * @param given the flags that were given, by their long names
 * @throws A3sError `usage` or `unsupported` for a value that does not parse
 */
export async function boxOptions(
  flags: BoxFlagValues,
  operands: readonly string[],
  { env, config }: { env: NodeJS.ProcessEnv; config: Pick<ClientConfig, 'proxies'> },
  given: ReadonlySet<string>,
): Promise<CreateOptions> {
  const [image = '', ...words] = operands;
  if (image === '') throw new A3sError('usage', 'invalid reference format');
  checkPull(flags.pull);
  if (flags['stop-signal']) parseSignal(flags['stop-signal']);
  const platform = platformOf(flags.platform, env);
  if (platform !== undefined) checkPlatformName(platform);
  const restartPolicy = parseRestartPolicy(flags.restart);
  if (flags.rm && restartPolicy !== 'no') {
    throw new A3sError('usage', 'conflicting options: cannot specify both --restart and --rm');
  }
  const [environment, labels] = await Promise.all([
    readEnvironment(withProxies(flags.env, config), flags['env-file'], env),
    readLabels(flags.label, flags['label-file']),
  ]);
  return {
    image,
    name: blankIsNone(flags.name),
    cpus: cpus(flags, given.has('cpus')),
    memoryBytes: flags.memory,
    env: environment,
    workingDir: blankIsNone(flags.workdir),
    user: blankIsNone(flags.user),
    entrypoint:
      flags.entrypoint === '' ? [] : flags.entrypoint === undefined ? undefined : [flags.entrypoint],
    cmd: words[0] === '--' ? words.slice(1) : words,
    hostname: blankIsNone(flags.hostname),
    labels,
    ports: flags.publish.flatMap((spec) => parsePublish(spec)),
    exposed: flags.expose.flatMap((spec) => parseExpose(spec)),
    publishAll: flags['publish-all'],
    volumes: [...flags.volume.map((spec) => parseVolume(spec)), ...flags.mount.filter(isRequest)],
    tmpfs: [
      ...flags.tmpfs.map((spec) => parseTmpfs(spec)),
      ...flags.mount.flatMap((mount) => (mount.type === 'tmpfs' ? [tmpfsOf(mount)] : [])),
    ],
    dns: [...flags.dns],
    network: networkOf(flags.network),
    tty: flags.tty,
    openStdin: flags.interactive,
    autoRemove: flags.rm,
    init: flags.init,
    readOnly: flags['read-only'],
    stopSignal: blankIsNone(flags['stop-signal']),
    stopTimeout: flags['stop-timeout'],
    restartPolicy,
    healthcheck: healthCheckFlags(flags),
    platform,
    settings: boxSettings(flags),
  };
}

function isRequest(mount: ParsedMount): mount is MountRequest {
  return mount.type !== 'tmpfs';
}

function tmpfsOf({
  target,
  options,
  from_mount,
}: ParsedMount & { type: 'tmpfs' }): CreateOptions['tmpfs'][number] {
  return { target, options, from_mount };
}

function blankIsNone(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function checkPull(policy: string): void {
  if (['always', 'missing', 'never', ''].includes(policy)) return;
  throw new A3sError(
    'usage',
    `invalid pull option: '${policy}': must be one of "always", "missing" or "never"`,
  );
}

function networkOf(name: string | undefined): CreateOptions['network'] {
  if (name === undefined || name === 'default' || name === 'bridge') return 'default';
  if (name === 'none') return 'none';
  if (name.trim() === '') throw new A3sError('usage', 'no name set for network');
  throw new A3sError(
    'unsupported',
    `--network ${name} is not supported yet: a box has the network default or none`,
  );
}
