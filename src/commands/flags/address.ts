/** Addresses, names of hosts and domains as Docker's client takes them (docker/cli, opts/hosts.go and opts/opts.go). */
import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import { BadValue } from './bad-value.ts';

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?$`);
const DOMAIN_MAX = 255;

/** As `net.isIP`; loading node:net takes 2 ms of every start. */
export function isAddress(text: string): boolean {
  const parts = text.split('.');
  if (parts.length === 4 && !text.includes(':')) {
    return parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
  }
  return text.includes(':') && URL.canParse(`http://[${text}]`);
}

/**
 * `--add-host`: `name:address` or `name=address` as `name:address`; an address may stand in brackets.
 * @throws BadValue in Docker's words; A3sError `unsupported` for `host-gateway`.
 */
export function parseExtraHost(text: string): string {
  const equals = text.indexOf('=');
  const at = equals === -1 ? text.indexOf(':') : equals;
  const name = text.slice(0, Math.max(at, 0));
  const value = text.slice(at + 1);
  if (name === '' || /[:\s]/.test(name)) throw new BadValue(`bad format for add-host: ${goQuote(text)}`);
  if (value === 'host-gateway') {
    throw new A3sError(
      'unsupported',
      '--add-host with host-gateway is not supported: a box has no way to the services of its host',
      { exitStatus: 125 },
    );
  }
  const address = /^\[(.+)\]$/.exec(value)?.[1] ?? value;
  if (!isAddress(address)) throw new BadValue(`invalid IP address in add-host: ${goQuote(value)}`);
  return `${name}:${address}`;
}

/** `--dns-search`. @throws BadValue in Docker's words. */
export function parseSearchDomain(text: string): string {
  const domain = text.trim();
  const sound = /[a-zA-Z]/.test(domain) && domain.length < DOMAIN_MAX && DOMAIN.test(domain);
  if (domain === '.' || sound) return domain;
  throw new BadValue(`${text} is not a valid domain`);
}
