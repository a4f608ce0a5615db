/** `login` and `logout`, as the verbs mean them. */
import { A3sError } from '../../errors.ts';
import type { Credential } from '../../images/registry/credential.ts';
import {
  HUB_SERVER,
  eraseCredential,
  findCredential,
  hostnameOf,
  storeCredential,
} from '../../images/registry/credentials.ts';
import { printable } from '../../images/registry/printable.ts';
import { verifyCredential } from '../../images/registry/login.ts';

export type { Credential };

/** A registry as `login` and `logout` are given it. */
export interface Server {
  /** Its key in `config.json`. */
  key: string;
  /** What is connected to. */
  domain: string;
  isHub: boolean;
}

const HOST = /^(?:[a-zA-Z0-9._-]+|\[[a-fA-F0-9:]+\])(?::\d{1,5})?$/;

/**
 * The registry that the operand names; Docker Hub when there is none.
 * @throws A3sError `usage` naming the operand when it is no address
 */
export function parseServer(text = ''): Server {
  if (['', 'docker.io', HUB_SERVER].includes(text)) {
    return { key: HUB_SERVER, domain: 'docker.io', isHub: true };
  }
  const host = hostnameOf(text);
  if (!HOST.test(host)) {
    throw new A3sError('usage', `"${printable(text)}" is not the address of a registry`, {
      hint: 'give HOST or HOST:PORT',
    });
  }
  return { key: host, domain: host, isHub: false };
}

/** What is kept for the registry, or null. @throws A3sError `invalid_config`, `host_setup` */
export function savedCredential(server: Server, env: NodeJS.ProcessEnv): Promise<Credential | null> {
  return findCredential(server.key, env);
}

/**
 * Proves the credential to the registry and keeps it.
 * @returns the file that now holds a readable password; undefined when there is none
 * @throws A3sError `unauthorized`, `registry_unreachable`, `invalid_config`, `host_setup`
 */
export async function login(
  server: Server,
  credential: Credential,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const kept = await verifyCredential(server.domain, credential, { env });
  return storeCredential(server.key, kept, env);
}

/**
 * Forgets the registry's credentials, under every name that older clients gave it.
 * @returns the failures by name, if nothing at all could be forgotten
 */
export async function logout(server: Server, env: NodeJS.ProcessEnv): Promise<Map<string, unknown>> {
  const names = server.isHub ? [server.key] : [server.key, `http://${server.key}`, `https://${server.key}`];
  const failures = new Map<string, unknown>();
  for (const name of names) {
    // One after another: each rewrites the same file.
    await eraseCredential(name, env).catch((error: unknown) => failures.set(name, error));
  }
  return failures.size === names.length ? failures : new Map();
}
