/** Which hosts a registry client may speak to, and how: every address that a registry names is looked at here. */
import { BlockList, isIP } from 'node:net';

import { A3sError } from '../../errors.ts';
import { printable } from './printable.ts';

/** Docker Hub is called one thing and reached at another. */
const HUB = 'docker.io';
const HUB_HOST = 'registry-1.docker.io';
const MAX_URL_LENGTH = 8192;

/** `host[:port]` at which the registry of this domain answers. */
export function hostOf(domain: string): string {
  return domain === HUB ? HUB_HOST : domain;
}

/** True for `localhost`, 127.0.0.0/8 and ::1, with or without a port. */
export function isLoopback(host: string): boolean {
  const name = hostname(host);
  if (name === 'localhost') return true;
  const family = familyOf(name);
  return family !== undefined && LOOPBACK.check(name, family);
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Hosts that need no verified TLS: those that the user named and, when the registry itself is on this machine, this
 * machine. A registry elsewhere cannot point a plain request at a service of the user's own host.
 */
export class HostPolicy {
  readonly #named = new Set<string>();
  readonly #networks = new BlockList();
  readonly #local: boolean;

  /**
   * @param registry `host[:port]` of the registry
   * @param insecure hosts, `host:port`s and networks (`10.0.0.0/8`) that the user trusts
   * @throws A3sError `invalid_config` naming an entry that is none of these
   */
  constructor(registry: string, insecure: readonly string[]) {
    this.#local = isLoopback(registry);
    for (const entry of insecure) this.#add(entry.trim().toLowerCase());
  }

  #add(entry: string): void {
    const [address = '', prefix, ...more] = entry.split('/');
    if (prefix === undefined) {
      if (URL.canParse(`http://${entry}`)) this.#named.add(entry);
      else throw badEntry(entry);
      return;
    }
    const family = familyOf(address);
    const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (more.length > 0 || family === undefined || !(bits <= (family === 'ipv4' ? 32 : 128))) {
      throw badEntry(entry);
    }
    this.#networks.addSubnet(address, bits, family);
  }

  /** True when plain HTTP and unverified certificates are acceptable; `host` may have a port. */
  isInsecure(host: string): boolean {
    const name = hostname(host);
    if (this.#named.has(host.toLowerCase()) || this.#named.has(name)) return true;
    const family = familyOf(name);
    if (family !== undefined && this.#networks.check(name, family)) return true;
    return this.#local && isLoopback(host);
  }

  /**
   * An address that a registry or a manifest gave, made absolute.
   * @param what how an error calls it, e.g. `the realm`
   * @throws A3sError `registry_protocol` when it is no HTTP address or would go unprotected to a host that needs TLS
   */
  resolve(text: string, base: URL | undefined, what: string): URL {
    if (text.length > MAX_URL_LENGTH || !URL.canParse(text, base?.href)) throw badAddress(what, text);
    const url = new URL(text, base);
    if (url.username !== '' || url.password !== '') throw badAddress(what, 'it contains credentials');
    if (url.protocol === 'https:') return url;
    if (url.protocol !== 'http:') throw badAddress(what, text);
    if (this.isInsecure(url.host)) return url;
    throw new A3sError(
      'registry_protocol',
      `${what} leads to ${url.host} over plain HTTP, which is refused`,
      {
        hint: `if ${url.host} is to be trusted, add it to A3S_INSECURE_REGISTRIES`,
      },
    );
  }
}

/** The entries of `A3S_INSECURE_REGISTRIES`, separated by commas. */
export function insecureFromEnvironment(env: NodeJS.ProcessEnv): string[] {
  return (env['A3S_INSECURE_REGISTRIES'] ?? '').split(',').filter((entry) => entry.trim() !== '');
}

/** The name without port and brackets, in lower case. */
function hostname(host: string): string {
  return host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 4 ? 'ipv4' : 'ipv6';
}

function badEntry(entry: string): A3sError {
  return new A3sError('invalid_config', `insecure registry "${entry}" is no host and no network`, {
    hint: 'give HOST, HOST:PORT or a network such as 10.0.0.0/8, separated by commas',
  });
}

function badAddress(what: string, text: string): A3sError {
  return new A3sError('registry_protocol', `${what} is not acceptable: ${printable(text)}`);
}
