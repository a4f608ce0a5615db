/** Network backends: each gives QEMU's `-netdev` for one box and what the guest must know. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

import { A3sError, hasErrno } from '../errors.ts';
import type { BoxRecord, PortMapping } from '../state/record.ts';
import { escapeOption } from './qemu/args.ts';

export interface NetworkAttachment {
  netdev: string;
  /** Published ports with the host port that was really taken. */
  ports: PortMapping[];
  /** The agent's `network` and `hosts` fields. */
  guest: { enabled: boolean; dns: string[]; search: string[]; options: string[] };
  guestAddress: string | null;
}

type NetworkRecord = Pick<BoxRecord, 'port_map' | 'dns' | 'hostname'>;

export interface NetworkBackend {
  /** The value of `-netdev`; `ports` are taken on the host. */
  netdev(record: Pick<BoxRecord, 'hostname'>, ports: readonly PortMapping[]): string;
  attach(record: NetworkRecord): Promise<NetworkAttachment>;
  /** What `attach` comes to if the ports that were asked for are free, which is not looked at; null where one is to be drawn. */
  asAsked(record: NetworkRecord): NetworkAttachment | null;
}

/** The box's own address, its router's, and the bits of their network (QEMU's defaults). */
export const SLIRP_GUEST = '10.0.2.15';
export const SLIRP_GATEWAY = '10.0.2.2';
export const SLIRP_PREFIX_LENGTH = 24;
const SLIRP_DNS = '10.0.2.3';

/** QEMU's own user-mode stack: no process, no rights. IPv6 stays off: its host alias is the host's own ::1. */
export const slirp: NetworkBackend = {
  netdev({ hostname }, ports) {
    const forwards = ports.map(
      (port) =>
        `,hostfwd=${port.protocol}:${port.host_ip}:${port.host_port}-${SLIRP_GUEST}:${port.guest_port}`,
    );
    return `user,id=net0,ipv6=off,hostname=${escapeOption(hostname)}${forwards.join('')}`;
  },
  async attach(record) {
    return slirpWith(record, await resolvePorts(record.port_map));
  },
  asAsked(record) {
    return record.port_map.some(isDrawn) ? null : slirpWith(record, [...record.port_map]);
  },
};

function slirpWith(record: NetworkRecord, ports: PortMapping[]): NetworkAttachment {
  return {
    netdev: slirp.netdev(record, ports),
    ports,
    guest: {
      enabled: true,
      dns: record.dns.length > 0 ? record.dns : [SLIRP_DNS],
      search: [],
      options: [],
    },
    guestAddress: SLIRP_GUEST,
  };
}

/** True for a port of the host that is found when the box starts. */
export function isDrawn({ host_port, drawn, host_range }: PortMapping): boolean {
  return host_port === 0 || drawn === true || host_range !== undefined;
}

/** A NIC that is connected to nothing: `--network none`, and every template, whose clones may then use any backend. */
export const UNCONNECTED_NETDEV = 'hubport,id=net0,hubid=0';

/** `--network none`. */
export const none: NetworkBackend = {
  netdev: () => UNCONNECTED_NETDEV,
  attach: () => Promise.resolve(unconnected()),
  asAsked: () => unconnected(),
};

function unconnected(): NetworkAttachment {
  return {
    netdev: UNCONNECTED_NETDEV,
    ports: [],
    guest: { enabled: false, dns: [], search: [], options: [] },
    guestAddress: null,
  };
}

/** The backend of the box's network. */
export function backendOf({ network }: Pick<BoxRecord, 'network'>): NetworkBackend {
  return network === 'none' ? none : slirp;
}

/**
 * QEMU's complaint about a port it could not take, as Docker words it; null when its stderr says nothing of the kind.
 */
export function portTakenError(stderr: string): A3sError | null {
  // QEMU repeats its whole option first: only the rule that follows these words is the one that failed.
  const match = /Could not set up host forwarding rule '(?:tcp|udp):([\d.]*):(\d+)-/.exec(stderr);
  if (match === null) return null;
  const [, ip = '', port = ''] = match;
  return portTaken(ip, Number(port));
}

function portTaken(ip: string, port: number | string, cause?: Error): A3sError {
  return new A3sError('port_taken', `Bind for ${ip}:${port} failed: port is already allocated`, {
    hint: 'choose another host port, or stop what uses this one',
    cause,
  });
}

/** Ranges last, one after the other: what this box has taken is free on the host until its VM is there. */
async function resolvePorts(mappings: readonly PortMapping[]): Promise<PortMapping[]> {
  const ports = await Promise.all(
    mappings.map(async (mapping) => (mapping.host_range === undefined ? resolvePort(mapping) : mapping)),
  );
  for (const [index, mapping] of ports.entries()) {
    if (mapping.host_range === undefined) continue;
    const isOurs = (port: number): boolean =>
      ports.some(
        (other, at) =>
          (other.host_range === undefined || at < index) &&
          other.host_port === port &&
          other.protocol === mapping.protocol,
      );
    ports[index] = await firstFree(mapping, mapping.host_range, isOurs);
  }
  return ports;
}

async function firstFree(
  { drawn: _before, ...mapping }: PortMapping,
  { first, last }: { first: number; last: number },
  isOurs: (port: number) => boolean,
): Promise<PortMapping> {
  for (let host_port = first; host_port <= last; host_port += 1) {
    if (isOurs(host_port)) continue;
    try {
      return { ...(await resolvePort({ ...mapping, host_port })), drawn: true };
    } catch (error) {
      if (!(error instanceof A3sError) || !hasErrno(error.cause, 'EADDRINUSE')) throw error;
    }
  }
  throw portTaken(mapping.host_ip, `${first}-${last}`);
}

/**
 * A fixed port is tried, a port 0 replaced by a free one. QEMU takes it a moment later and has the last word. One that was drawn for a
 * run whose monitor was lost is drawn anew.
 */
async function resolvePort(mapping: PortMapping): Promise<PortMapping> {
  const { host_ip, protocol } = mapping;
  const asked = mapping.drawn === true ? 0 : mapping.host_port;
  const host_port = await (protocol === 'tcp' ? tryTcp(host_ip, asked) : tryUdp(host_ip, asked));
  return { ...mapping, host_port, ...(asked === 0 ? { drawn: true as const } : {}) };
}

function tryTcp(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => reject(bindError(error, host, port)));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const taken = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(taken));
    });
  });
}

function tryUdp(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', (error) => reject(bindError(error, host, port)));
    socket.bind({ address: host, port, exclusive: true }, () => {
      const taken = socket.address().port;
      socket.close(() => resolve(taken));
    });
  });
}

function bindError(error: NodeJS.ErrnoException, host: string, port: number): A3sError {
  if (error.code === 'EADDRINUSE') return portTaken(host, port, error);
  return new A3sError('port_taken', `cannot publish ${host}:${port}: ${error.code ?? error.message}`, {
    hint:
      error.code === 'EACCES'
        ? 'ports below 1024 need root or net.ipv4.ip_unprivileged_port_start'
        : 'choose an address of this host',
    cause: error,
  });
}
