/** Which proxy a request takes, by the environment variables that curl and Go's net/http share. */
import { BlockList, isIP } from 'node:net';

import { A3sError } from '../../errors.ts';
import { isLoopback } from './hosts.ts';

/**
 * The proxy for `url`, or undefined to go straight. `HTTPS_PROXY` or `HTTP_PROXY` by the address' scheme, unless
 * `NO_PROXY` names the host (a domain also means what is below it); never for this machine. Lower case wins.
 * @throws A3sError `invalid_config` when the variable holds no HTTP address
 */
export function proxyFor(url: URL, env: NodeJS.ProcessEnv): string | undefined {
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const text = variable(env, name);
  if (text === '' || isLoopback(url.host) || isExcepted(url, variable(env, 'no_proxy'))) return undefined;
  const proxy = text.includes('://') ? text : `http://${text}`;
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return proxy;
  // The value may hold a password: it is not shown.
  throw new A3sError('invalid_config', `${name.toUpperCase()} is not the address of an HTTP proxy`, {
    hint: 'it looks like http://proxy.example:3128',
  });
}

function variable(env: NodeJS.ProcessEnv, name: string): string {
  return env[name] ?? env[name.toUpperCase()] ?? '';
}

function isExcepted(url: URL, list: string): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && (entry === '*' || covers(entry, host, port)));
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return inNetwork(entry, host);
  const [, name = '', only] = /^(\[.*\]|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (only !== undefined && only !== port) return false;
  const domain = name.replace(/^\[(.*)\]$/, '$1').replace(/^\*?\./, '.');
  if (domain.startsWith('.')) return host.endsWith(domain);
  return host === domain || host.endsWith(`.${domain}`);
}

function inNetwork(entry: string, host: string): boolean {
  const [address = '', prefix = ''] = entry.split('/');
  const version = isIP(address);
  const bits = Number(prefix);
  if (version === 0 || isIP(host) !== version || !(bits >= 0 && bits <= (version === 4 ? 32 : 128))) {
    return false;
  }
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const network = new BlockList();
  network.addSubnet(address, bits, family);
  return network.check(host, family);
}
