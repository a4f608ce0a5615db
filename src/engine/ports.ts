/** Published ports as `-p` takes them (docker/go-connections, nat.ParsePortSpec). */
import { isIP } from 'node:net';

import { A3sError } from '../errors.ts';
import type { ExposedPort, PortMapping } from '../state/record.ts';

const ANY_ADDRESS = '0.0.0.0';

export interface PortRange {
  first: number;
  last: number;
}

/**
 * The mappings of `[[ip:][host]:]guest[/proto]`, where host and guest may be ranges of the same length. Host port 0
 * stands for any free one, a range of host ports for one guest port for the first of them that is free.
 * @throws A3sError `usage` in Docker's words, `unsupported` for what this version cannot publish.
 */
export function parsePublish(spec: string): PortMapping[] {
  const parts = spec.split(':');
  const target = parts.pop() ?? '';
  const hostText = parts.pop() ?? '';
  const host_ip = parseAddress(parts.join(':'));

  const [guestText = '', protocolText, ...more] = target.split('/');
  if (guestText === '') throw new A3sError('usage', `no port specified: ${spec}<empty>`);
  const guest = parseRange(guestText);
  if (guest === null || guest.first === 0 || more.length > 0)
    throw new A3sError('usage', `invalid containerPort: ${guestText}`);
  const protocol = parseProtocol(protocolText);
  const host = hostText === '' ? null : parseRange(hostText);
  if (hostText !== '' && host === null) throw new A3sError('usage', `invalid hostPort: ${hostText}`);
  if (host !== null && guest.first === guest.last && host.first < host.last) {
    return [{ host_ip, host_port: host.first, guest_port: guest.first, protocol, host_range: host }];
  }
  if (host !== null) checkLengths(host, guest, `${guestText} and ${hostText}`);

  const mappings: PortMapping[] = [];
  for (let port = guest.first; port <= guest.last; port += 1) {
    const host_port = host === null ? 0 : host.first + (port - guest.first);
    mappings.push({ host_ip, host_port, guest_port: port, protocol });
  }
  return mappings;
}

function parseAddress(text: string): string {
  const address = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (address === '') return ANY_ADDRESS;
  if (isIP(address) === 0) throw new A3sError('usage', `invalid IP address: ${address}`);
  // QEMU's user-mode network forwards from IPv4 addresses only.
  if (isIP(address) === 6) {
    throw new A3sError('unsupported', `publishing on an IPv6 address is not supported yet: ${address}`);
  }
  return address;
}

function parseProtocol(text: string | undefined): PortMapping['protocol'] {
  const protocol = (text === undefined || text === '' ? 'tcp' : text).toLowerCase();
  if (protocol === 'tcp' || protocol === 'udp') return protocol;
  if (protocol === 'sctp') throw new A3sError('unsupported', 'publishing SCTP ports is not supported');
  throw new A3sError('usage', `invalid proto: ${text}`);
}

/** `8000` or `8000-8010`; null when it is neither, or runs backwards. */
export function parseRange(text: string): PortRange | null {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const first = Number(from);
  const last = Number(to);
  return first >= 0 && last <= 65_535 && first <= last ? { first, last } : null;
}

function checkLengths(host: PortRange, guest: PortRange, ranges: string): void {
  if (host.last - host.first === guest.last - guest.first) return;
  throw new A3sError('usage', `invalid ranges specified for container and host Ports: ${ranges}`);
}

/** A port without its mapping, as `--expose` and images write it: `80/tcp`. */
export function portKey(mapping: ExposedPort): string {
  return `${mapping.guest_port}/${mapping.protocol}`;
}
