/** From the command line of `build` to what the engine is asked for; the words are buildx's. */
import type { BuildRequest } from '../../engine/build-types.ts';
import { checkBuildNames } from '../../engine/build-names.ts';
import { readClientConfig } from '../../engine/client-config.ts';
import { checkCpus, checkMemory, DEFAULT_CPUS } from '../../engine/limits.ts';
import { A3sError } from '../../errors.ts';
import { parseInt64 } from '../../go-numbers.ts';
import { goQuote } from '../../go-quote.ts';
import type { CommandContext } from '../command.ts';
import { platformOf as defaultPlatform } from '../default-platform.ts';
import { parseAnnotations } from './annotations.ts';
import { parseCacheSources } from './cache-sources.ts';
import type { FlagValues } from '../flags/spec.ts';
import type { buildFlags } from './flags.ts';

export type BuildFlagValues = FlagValues<typeof buildFlags>;

const EPOCH = 'SOURCE_DATE_EPOCH';

/**
 * The request, checked as far as that can be without touching anything.
 * @param context PATH, URL or `-`
 * @throws A3sError `usage` or `unsupported`
 */
export function buildRequest(
  client: Pick<CommandContext, 'env' | 'stdin' | 'stdout' | 'warn'>,
  flags: BuildFlagValues,
  context: string,
  signal: AbortSignal,
): BuildRequest {
  const { env, stdin, stdout } = client;
  if (context === '-' && flags.file === '-') {
    throw new A3sError('usage', "invalid argument: can't use stdin for both build context and dockerfile");
  }
  if (flags['no-cache'] && flags['no-cache-filter'].length > 0) {
    throw new A3sError('usage', '--no-cache and --no-cache-filter cannot currently be used together');
  }
  const cpus = flags.cpus === 0 ? DEFAULT_CPUS : flags.cpus;
  checkCpus(cpus);
  checkMemory(flags.memory);
  const buildArguments = buildArgumentsOf(flags['build-arg'], env);
  for (const [name, value] of readClientConfig(client).proxies) {
    if (!buildArguments.has(name)) buildArguments.set(name, value);
  }
  const request = {
    context,
    file: flags.file === '' ? undefined : flags.file,
    contexts: flags['build-context'],
    target: flags.target === '' ? undefined : flags.target,
    platform: platformOf(flags.platform, env),
    buildArguments,
    labels: pairsOf(flags.label, () => ''),
    annotations: parseAnnotations(flags.annotation),
    noCache: flags['no-cache'],
    noCacheFilter: flags['no-cache-filter'],
    cacheFrom: parseCacheSources(flags['cache-from']),
    pull: flags.pull,
    secrets: flags.secret,
    ssh: flags.ssh,
    network: networkOf(flags.network),
    extraHosts: flags['add-host'],
    shmBytes: shmBytesOf(flags['shm-size']),
    ulimits: flags.ulimit,
    cpus,
    memoryBytes: flags.memory,
    tags: flags.tag,
    outputs: flags.output,
    push: flags.push,
    load: flags.load,
    iidFile: flags.iidfile === '' ? undefined : flags.iidfile,
    metadataFile: flags['metadata-file'] === '' ? undefined : flags['metadata-file'],
    sourceDateEpoch: epochOf(buildArguments.get(EPOCH)),
    stdin,
    stdout,
    env,
    signal,
  };
  checkBuildNames(request);
  return request;
}

/** A name alone takes the caller's value, or is left out; SOURCE_DATE_EPOCH is taken from the environment anyway. */
function buildArgumentsOf(given: readonly string[], env: NodeJS.ProcessEnv): Map<string, string> {
  const values = pairsOf(given, (name) => env[name]);
  const epoch = env[EPOCH];
  if (!values.has(EPOCH) && epoch !== undefined && epoch !== '') values.set(EPOCH, epoch);
  return values;
}

function pairsOf(given: readonly string[], alone: (name: string) => string | undefined): Map<string, string> {
  const values = new Map<string, string>();
  for (const text of given) {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === '') {
      throw new A3sError('usage', `invalid key-value pair ${goQuote(text)}: empty key`);
    }
    const value = equals < 0 ? alone(name) : text.slice(equals + 1);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

function platformOf(given: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const fallback = defaultPlatform(undefined, env);
  const asked = given.length > 0 ? given : fallback === undefined ? [] : [fallback];
  const platforms = new Set(asked.flatMap((text) => text.split(',')).filter((text) => text !== ''));
  if (platforms.size > 1) {
    throw new A3sError('unsupported', 'a build for several platforms at once is not supported', {
      exitStatus: 125,
    });
  }
  const [platform] = platforms;
  return platform;
}

function networkOf(name: string): BuildRequest['network'] {
  if (name === '' || name === 'default') return 'default';
  if (name === 'none') return 'none';
  if (name === 'host') {
    throw new A3sError(
      'unsupported',
      '--network host is not supported: the network of a build is that of its VM',
      { exitStatus: 125 },
    );
  }
  throw new A3sError('usage', `network mode ${goQuote(name)} not supported by buildkit`);
}

function shmBytesOf(bytes: number | undefined): number | undefined {
  if (bytes === undefined || bytes === 0) return undefined;
  if (bytes > 0) return bytes;
  throw new A3sError('usage', 'SHM size can not be less than 0');
}

function epochOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const seconds = parseInt64(text, 10);
    if (seconds < 0) throw new Error('value out of range');
    return seconds;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new A3sError('usage', `invalid ${EPOCH}: ${text}: ${reason}`, { cause: error });
  }
}
