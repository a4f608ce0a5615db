/** Who the user is to which registry: `config.json` and the helpers that it names. */
import { isObject } from '../../json.ts';
import { helperErase, helperGet, helperStore } from './credential-helper.ts';
import type { Credential, CredentialSource } from './credential.ts';
import {
  authsOf,
  dockerConfigPath,
  helperOf,
  readDockerConfig,
  writeDockerConfig,
  type DockerConfig,
} from './docker-config.ts';

/** The name under which Docker keeps the credentials of Docker Hub. */
export const HUB_SERVER = 'https://index.docker.io/v1/';

/** The user's credentials, read when they are first wanted. */
export function userCredentials(env: NodeJS.ProcessEnv = process.env): CredentialSource {
  return { get: (domain) => findCredential(serverOf(domain), env) };
}

/** The key of a registry's domain in `config.json`. */
export function serverOf(domain: string): string {
  return domain === 'docker.io' ? HUB_SERVER : domain;
}

/** `https://host:5000/v1/` → `host:5000`. */
export function hostnameOf(server: string): string {
  return server.replace(/^https?:\/\//, '').split('/')[0] ?? '';
}

/**
 * What is kept for a server, or null.
 * @throws A3sError `invalid_config` naming the file, `host_setup` naming the helper
 */
export async function findCredential(server: string, env: NodeJS.ProcessEnv): Promise<Credential | null> {
  const config = readDockerConfig(dockerConfigPath(env));
  const helper = helperOf(config, server);
  if (helper !== undefined) return helperGet(helper, server, env);
  return fromAuths(authsOf(config), server);
}

/** The exact key first, then any that means the same host. */
function fromAuths(auths: Record<string, unknown>, server: string): Credential | null {
  const keys = Object.keys(auths);
  const key =
    keys.find((each) => each === server) ?? keys.find((each) => hostnameOf(each) === hostnameOf(server));
  return key === undefined ? null : credentialOf(auths[key]);
}

function credentialOf(entry: unknown): Credential | null {
  if (!isObject(entry)) return null;
  const text = (name: string): string => {
    const value = entry[name];
    return typeof value === 'string' ? value : '';
  };
  if (text('registrytoken') !== '') return { kind: 'access', token: text('registrytoken') };
  const decoded = Buffer.from(text('auth'), 'base64').toString();
  const colon = decoded.indexOf(':');
  const username = colon > 0 ? decoded.slice(0, colon) : text('username');
  // Docker pads some with NUL.
  const password = colon > 0 ? decoded.slice(colon + 1).replace(/\0+$/, '') : text('password');
  if (text('identitytoken') !== '') return { kind: 'identity', username, token: text('identitytoken') };
  return username === '' ? null : { kind: 'password', username, password };
}

/**
 * Keeps a credential where Docker would.
 * @returns the file that now holds a readable password; undefined when there is none
 * @throws A3sError as findCredential
 */
export async function storeCredential(
  server: string,
  credential: Credential,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const config = readDockerConfig(dockerConfigPath(env));
  const helper = helperOf(config, server);
  if (helper !== undefined) {
    await helperStore(helper, server, credential, env);
    // The empty entry says that there is something to ask the helper for.
    await putEntry(config, server, {});
    return undefined;
  }
  await putEntry(config, server, entryOf(credential));
  return credential.kind === 'password' ? config.path : undefined;
}

function entryOf(credential: Credential): object {
  if (credential.kind === 'access') return { registrytoken: credential.token };
  const password = credential.kind === 'password' ? credential.password : '';
  const auth = Buffer.from(`${credential.username}:${password}`).toString('base64');
  return credential.kind === 'password' ? { auth } : { auth, identitytoken: credential.token };
}

/**
 * Forgets what is kept for a server.
 * @throws A3sError as findCredential
 */
export async function eraseCredential(server: string, env: NodeJS.ProcessEnv): Promise<void> {
  const config = readDockerConfig(dockerConfigPath(env));
  const helper = helperOf(config, server);
  if (helper !== undefined) await helperErase(helper, server, env);
  if (Object.hasOwn(authsOf(config), server)) await putEntry(config, server, undefined);
}

async function putEntry(config: DockerConfig, server: string, entry: object | undefined): Promise<void> {
  const others = Object.entries(authsOf(config)).filter(([key]) => key !== server);
  const auths = Object.fromEntries(entry === undefined ? others : [...others, [server, entry]]);
  await writeDockerConfig({ path: config.path, fields: { ...config.fields, auths } });
}
