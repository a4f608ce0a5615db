/** What of Docker's `config.json` decides about commands; what is about registries is theirs. */
import { A3sError } from '../errors.ts';
import { objectOr } from '../json.ts';
import { dockerConfigPath, readDockerConfig } from '../images/registry/docker-config.ts';

/** Who asks. */
export interface Client {
  readonly env: NodeJS.ProcessEnv;
  warn(line: string): void;
}

/** Its fields with formats, each for the listing of its name. */
const FORMATS = {
  images: 'imagesFormat',
  ps: 'psFormat',
  stats: 'statsFormat',
  volumes: 'volumesFormat',
} as const;

export type ConfiguredListing = keyof typeof FORMATS;

export interface ClientConfig {
  /** Empty for the default. */
  detachKeys: string;
  /** Go templates; empty where there is none. */
  formats: Readonly<Record<ConfiguredListing, string>>;
  /** `HTTP_PROXY` and the like of what runs in boxes and builds. */
  proxies: ReadonlyMap<string, string>;
}

const PROXIES = {
  HTTP_PROXY: 'httpProxy',
  HTTPS_PROXY: 'httpsProxy',
  NO_PROXY: 'noProxy',
  FTP_PROXY: 'ftpProxy',
  ALL_PROXY: 'allProxy',
} as const;

/** Reads it; one that cannot be used is told of in Docker's words and counts as empty. */
export function readClientConfig(client: Client): ClientConfig {
  const fields = fieldsOf(client);
  const proxies = objectOr(objectOr(fields['proxies'])['default']);
  return {
    detachKeys: textIn(fields, 'detachKeys'),
    formats: {
      images: textIn(fields, FORMATS.images),
      ps: textIn(fields, FORMATS.ps),
      stats: textIn(fields, FORMATS.stats),
      volumes: textIn(fields, FORMATS.volumes),
    },
    proxies: new Map(
      Object.entries(PROXIES)
        .map(([name, field]) => [name, textIn(proxies, field)] as const)
        .filter(([, value]) => value !== ''),
    ),
  };
}

function fieldsOf(client: Client): Record<string, unknown> {
  try {
    return readDockerConfig(dockerConfigPath(client.env)).fields;
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    client.warn(`WARNING: Error loading config file: ${error.message}`);
    return {};
  }
}

function textIn(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

/**
 * The environment of a box with the proxies in both spellings, unless it has its own (docker/cli, `ParseProxyConfig`).
 * @param env `K=V`, or a name alone
 */
export function withProxies(env: readonly string[], { proxies }: Pick<ClientConfig, 'proxies'>): string[] {
  const given = new Set(env.map((entry) => entry.split('=', 1)[0]));
  const added = [...proxies].flatMap(([name, value]) =>
    [name, name.toLowerCase()].filter((each) => !given.has(each)).map((each) => `${each}=${value}`),
  );
  return [...env, ...added];
}
