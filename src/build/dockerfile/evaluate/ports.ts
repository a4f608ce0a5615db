/** EXPOSE (BuildKit's dockerfile2llb/convert_expose.go). */
import { isIP } from 'node:net';

import { goQuote } from '../../../go-quote.ts';
import { DockerfileError } from '../error.ts';

const PORT_MAX = 65_535;
const PROTOCOLS = ['tcp', 'udp', 'sctp'];

/**
 * The ports of `[[ip:]host:]port[-port][/protocol]`, each as `port/protocol`. Address and port of the host say nothing, but have to be right.
 * @throws DockerfileError
 */
export function exposedPorts(spec: string): string[] {
  const parts = spec.split(':');
  const container = parts.pop() ?? '';
  const host = parts.pop() ?? '';
  const { port, protocol } = splitProtocol(container, spec);
  checkAddress(parts.join(':'));
  const range = readRange(port);
  if (range === undefined) throw new DockerfileError(`invalid containerPort: ${port}`);
  if (host !== '') checkHostPorts(host, port, range);
  const count = range.last - range.first + 1;
  return Array.from({ length: count }, (_, index) => `${range.first + index}/${protocol}`);
}

interface Range {
  first: number;
  last: number;
}

function splitProtocol(container: string, spec: string): { port: string; protocol: string } {
  const slash = container.indexOf('/');
  const port = slash < 0 ? container : container.slice(0, slash);
  const written = slash < 0 ? '' : container.slice(slash + 1);
  const protocol = written === '' ? 'tcp' : written.toLowerCase();
  if (port === '') throw new DockerfileError(`invalid port: ${goQuote(spec)}: no port specified`);
  if (!PROTOCOLS.includes(protocol)) {
    throw new DockerfileError(`invalid port: ${goQuote(spec)}: invalid proto: ${written}`);
  }
  return { port, protocol };
}

function checkAddress(written: string): void {
  const address = /^\[(.*)\]$/.exec(written)?.[1] ?? written;
  if (address !== '' && isIP(address) === 0) throw new DockerfileError(`invalid IP address: ${address}`);
}

function checkHostPorts(host: string, container: string, range: Range): void {
  const hostRange = readRange(host);
  if (hostRange === undefined) throw new DockerfileError(`invalid hostPort: ${host}`);
  const several = range.last > range.first;
  if (several && hostRange.last - hostRange.first !== range.last - range.first) {
    throw new DockerfileError(
      `invalid ranges specified for container and host Ports: ${container} and ${host}`,
    );
  }
}

function readRange(text: string): Range | undefined {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  return first !== '' && range.first <= range.last && range.last <= PORT_MAX ? range : undefined;
}
