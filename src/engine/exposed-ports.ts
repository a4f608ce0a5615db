/** Ports that an image or `--expose` names, and `-P`, which publishes them all (docker/go-connections, nat). Pure. */
import { A3sError } from '../errors.ts';
import type { ExposedPort, PortMapping } from '../state/record.ts';
import { parseRange, portKey } from './ports.ts';

/**
 * The ports of `port[-port][/protocol]`, as `--expose` takes them.
 * @throws A3sError `usage` in Docker's words.
 */
export function parseExpose(spec: string): ExposedPort[] {
  if (spec.includes(':')) throw new A3sError('usage', `invalid port format for --expose: ${spec}`);
  const ports = readPorts(spec);
  if (ports !== null) return ports;
  throw new A3sError('usage', `invalid range format for --expose: ${spec}, error: invalid port or protocol`);
}

/**
 * The image's ports and those of `--expose`, each once.
 * @throws A3sError `image_broken` naming a port of the image's that is none.
 */
export function exposedPorts(given: readonly ExposedPort[], image: readonly string[]): ExposedPort[] {
  const all = [
    ...image.flatMap((spec) => {
      const ports = readPorts(spec);
      if (ports === null) throw new A3sError('image_broken', `the image exposes what is no port: ${spec}`);
      return ports;
    }),
    ...given,
  ];
  return [...new Map(all.map((port) => [portKey(port), port])).values()];
}

/** The mappings with one for each exposed port that has none: any free port of the host. */
export function publishExposed(
  published: readonly PortMapping[],
  exposed: readonly ExposedPort[],
): PortMapping[] {
  const known = new Set(published.map(portKey));
  const missing = exposed.flatMap(({ guest_port, protocol }): PortMapping[] => {
    // SCTP cannot be published here.
    if (protocol === 'sctp' || known.has(portKey({ guest_port, protocol }))) return [];
    return [{ host_ip: '0.0.0.0', host_port: 0, guest_port, protocol, exposed: true }];
  });
  return [...published, ...missing];
}

function readPorts(spec: string): ExposedPort[] | null {
  const [text = '', name = 'tcp', ...more] = spec.split('/');
  const protocol = name.toLowerCase();
  const range = parseRange(text);
  if (range === null || range.first === 0 || more.length > 0) return null;
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') return null;
  return Array.from({ length: range.last - range.first + 1 }, (_, index) => ({
    guest_port: range.first + index,
    protocol,
  }));
}
