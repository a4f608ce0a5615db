/** The PORTS column; after Docker's `DisplayablePorts`. */

export interface ShownPort {
  host_ip: string;
  host_port: number;
  guest_port: number;
  protocol: string;
}

interface Run {
  host: string;
  protocol: string;
  first: number;
  last: number;
}

/**
 * Neighbouring ports that keep their number are shown as a range; others one by one, at the end.
 * @param exposed ports that are shown alone unless they are published
 */
export function describePorts(
  published: readonly ShownPort[],
  exposed: readonly Pick<ShownPort, 'guest_port' | 'protocol'>[] = [],
): string {
  const known = new Set(published.map(({ guest_port, protocol }) => `${guest_port}/${protocol}`));
  const alone = exposed.filter(({ guest_port, protocol }) => !known.has(`${guest_port}/${protocol}`));
  const ports = [
    ...published,
    ...alone.map((port) => ({ ...port, host_ip: '', host_port: port.guest_port })),
  ];
  const done: Run[] = [];
  const open = new Map<string, Run>();
  const moved: string[] = [];
  for (const port of ports.toSorted(compare)) {
    const { host_ip: host, guest_port: guest, protocol } = port;
    if (port.host_port !== guest) {
      moved.push(`${bracket(host)}:${port.host_port}->${guest}/${protocol}`);
      continue;
    }
    const key = `${host}/${protocol}`;
    const run = open.get(key);
    if (run !== undefined && guest === run.last + 1) {
      run.last = guest;
      continue;
    }
    if (run !== undefined) done.push(run);
    open.set(key, { host, protocol, first: guest, last: guest });
  }
  return [...[...done, ...open.values()].map(describeRun), ...moved].join(', ');
}

function describeRun({ host, protocol, first, last }: Run): string {
  const range = first === last ? String(first) : `${first}-${last}`;
  if (host === '') return `${range}/${protocol}`;
  return `${bracket(host)}:${range}->${range}/${protocol}`;
}

function bracket(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function compare(a: ShownPort, b: ShownPort): number {
  return (
    a.guest_port - b.guest_port ||
    order(a.host_ip, b.host_ip) ||
    a.host_port - b.host_port ||
    order(a.protocol, b.protocol)
  );
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
