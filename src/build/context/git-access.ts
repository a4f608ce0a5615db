/** How a repository is reached, so that nothing secret stands in a command line, where everybody can read it. */
import { A3sError } from '../../errors.ts';
import type { GitSettings } from './git-program.ts';
import type { GitReference } from './git-url.ts';
import type { SourceOptions } from './types.ts';

const HEADER_SECRET = 'GIT_AUTH_HEADER';
const TOKEN_SECRET = 'GIT_AUTH_TOKEN';
/** As GitHub takes a token for git. */
const TOKEN_USER = 'x-access-token';
/** One token does for all of GitHub, so for submodules as well. */
const SHARED_SCOPES = ['https://github.com/', 'https://www.github.com/'];
/** Bytes a second, and seconds below it, after which git gives up on an HTTP server. */
const [SLOW_SPEED, SLOW_SECONDS] = ['1', '60'];

/**
 * @returns what git needs, and in `remote` the URL without a password
 * @throws A3sError in BuildKit's words for a repository over ssh without an agent
 */
export async function settingsFor(
  reference: GitReference,
  { env, signal, agentSocket, secret }: SourceOptions,
): Promise<GitSettings & { remote: string }> {
  const config: Record<string, string> = {
    'http.lowSpeedLimit': SLOW_SPEED,
    'http.lowSpeedTime': SLOW_SECONDS,
    'init.defaultBranch': 'master',
    'advice.detachedHead': 'false',
    'gc.auto': '0',
    'core.hooksPath': '/dev/null',
  };
  const { scheme } = reference;
  if (scheme === 'ssh' && agentSocket === undefined) {
    throw new A3sError('invalid_config', 'unset ssh forward key default', {
      hint: 'give the build an agent: --ssh default',
    });
  }
  const { remote, user, password } = withoutCredentials(reference);
  if (scheme === 'http' || scheme === 'https') {
    const header =
      user === undefined ? await fromSecrets(new URL(remote).host, secret) : basic(user, password ?? '');
    if (header !== undefined) {
      const scope = SHARED_SCOPES.find((prefix) => remote.startsWith(prefix)) ?? `${new URL(remote).origin}/`;
      config[`http.${scope}.extraHeader`] = `Authorization: ${header}`;
    }
  }
  return { env, signal, agentSocket: scheme === 'ssh' ? agentSocket : undefined, config, remote };
}

/** The user of ssh is no secret; elsewhere it may be a token. */
function withoutCredentials({ remote, scheme }: GitReference): {
  remote: string;
  user?: string;
  password?: string | undefined;
} {
  const [, start = '', authority, rest = ''] = /^([a-z0-9]+:\/\/)([^/]*)@(.*)$/i.exec(remote) ?? [];
  if (authority === undefined) return { remote };
  const [user = '', ...password] = authority.split(':');
  if (scheme === 'ssh') return { remote: `${start}${user}@${rest}` };
  return {
    remote: `${start}${rest}`,
    user: decodeURIComponent(user),
    password: password.length === 0 ? undefined : decodeURIComponent(password.join(':')),
  };
}

async function fromSecrets(host: string, secret: SourceOptions['secret']): Promise<string | undefined> {
  if (secret === undefined) return undefined;
  for (const suffix of [`.${host}`, '']) {
    const header = await secret(`${HEADER_SECRET}${suffix}`);
    if (header !== undefined) return header.toString().trim();
    const token = await secret(`${TOKEN_SECRET}${suffix}`);
    if (token !== undefined) return basic(TOKEN_USER, token.toString().trim());
  }
  return undefined;
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
