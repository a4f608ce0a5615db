/** Ports that an image or `--expose` names, and `-P`, which publishes them all (docker/go-connections, nat). Pure. */
import { A3sError } from '../errors.ts';
import type { ExposedPort, PortMapping } from '../state/record.ts';
import { parseUnsigned } from '../go-numbers.ts';
import { type PortRange, portKey } from './ports.ts';

/**
 * The ports of `port[-port][/protocol]`, as `--expose` takes them.
 * @throws A3sError `usage` in Docker's words.
 */
export function parseExpose(spec: string): ExposedPort[] {
  if (spec.includes(':')) throw new A3sError('usage', `invalid port format for --expose: ${spec}`);
  try {
    return readPorts(spec);
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    throw new A3sError('usage', `invalid range format for --expose: ${spec}, error: ${error.message}`);
  }
}

/**
 * The image's ports and those of `--expose`, each once.
 * @throws A3sError `image_broken` naming a port of the image's that is none.
 */
export function exposedPorts(given: readonly ExposedPort[], image: readonly string[]): ExposedPort[] {
  const all = [
    ...image.flatMap((spec) => {
      try {
        return readPorts(spec);
      } catch (cause) {
        throw new A3sError('image_broken', `the image exposes what is no port: ${spec}`, { cause });
      }
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

const MAX_PORT = 65_535;

function readPorts(spec: string): ExposedPort[] {
  const [text = '', name = '', ...more] = spec.split('/');
  const { first, last } = readRange(text);
  const protocol = name === '' ? 'tcp' : name.toLowerCase();
  if (more.length > 0 || (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp')) {
    throw new A3sError('usage', `invalid proto: ${[name, ...more].join('/')}`);
  }
  return Array.from({ length: last - first + 1 }, (_, index) => ({ guest_port: first + index, protocol }));
}

/** nat.ParsePortRange, in its words; port 0 is none. */
function readRange(text: string): PortRange {
  if (text === '') throw new A3sError('usage', 'empty string specified for ports');
  const [from = '', to = from, ...more] = text.split('-');
  const [first, last] = [parseUnsigned(from, MAX_PORT), parseUnsigned(to, MAX_PORT)];
  if (first === 0 || last < first || more.length > 0) {
    throw new A3sError('usage', `invalid range specified for port: ${text}`);
  }
  return { first, last };
}
