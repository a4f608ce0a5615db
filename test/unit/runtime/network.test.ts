import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';

import { UNCONNECTED_NETDEV, none, portTakenError, slirp } from '../../../src/runtime/network.ts';
import type { PortMapping } from '../../../src/state/record.ts';

const box = (port_map: PortMapping[], dns: string[] = []) => ({ port_map, dns, hostname: 'web' });
const mapping = (changes: Partial<PortMapping>): PortMapping => ({
  host_ip: '127.0.0.1',
  host_port: 0,
  guest_port: 80,
  protocol: 'tcp',
  ...changes,
});

async function takenTcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function takenUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return socket.address().port;
}

test('a box without ports gets the user-mode stack without IPv6', async () => {
  expect(await slirp.attach(box([]))).toEqual({
    netdev: 'user,id=net0,ipv6=off,hostname=web',
    ports: [],
    guest: { enabled: true, dns: ['10.0.2.3'], search: [], options: [] },
    guestAddress: '10.0.2.15',
  });
});

test('name servers of its own replace the built-in one', async () => {
  const { guest } = await slirp.attach(box([], ['9.9.9.9', '1.1.1.1']));
  expect(guest.dns).toEqual(['9.9.9.9', '1.1.1.1']);
});

test('a host name with a comma stays a host name', async () => {
  const { netdev } = await slirp.attach({ ...box([]), hostname: 'a,restrict=on' });
  expect(netdev).toBe('user,id=net0,ipv6=off,hostname=a,,restrict=on');
});

test('host port 0 becomes a real one, the same in the record and in the forward', async () => {
  const { netdev, ports } = await slirp.attach(
    box([mapping({}), mapping({ protocol: 'udp', guest_port: 53 })]),
  );
  const [tcp, udp] = ports;
  expect(tcp?.host_port).toBeGreaterThan(0);
  expect(udp?.host_port).toBeGreaterThan(0);
  expect(netdev).toBe(
    'user,id=net0,ipv6=off,hostname=web' +
      `,hostfwd=tcp:127.0.0.1:${tcp?.host_port}-10.0.2.15:80` +
      `,hostfwd=udp:127.0.0.1:${udp?.host_port}-10.0.2.15:53`,
  );
});

test('a host port that was drawn for a run that was lost is drawn anew', async () => {
  const host_port = await takenTcpPort();
  const { ports } = await slirp.attach(box([mapping({ host_port, drawn: true })]));
  expect(ports).toEqual([mapping({ host_port: expect.any(Number), drawn: true })]);
  expect(ports[0]?.host_port).not.toBe(host_port);
});

test.each([
  ['tcp', takenTcpPort],
  ['udp', takenUdpPort],
] as const)('a taken %s port is refused in the words of Docker', async (protocol, take) => {
  const host_port = await take();
  await expect(slirp.attach(box([mapping({ host_port, protocol })]))).rejects.toMatchObject({
    code: 'port_taken',
    message: `Bind for 127.0.0.1:${host_port} failed: port is already allocated`,
  });
});

test('a TCP port that only UDP has taken is free', async () => {
  const host_port = await takenUdpPort();
  const { ports } = await slirp.attach(box([mapping({ host_port })]));
  expect(ports).toEqual([mapping({ host_port })]);
});

test('an address that this host does not have is refused by name', async () => {
  await expect(slirp.attach(box([mapping({ host_ip: '192.0.2.1', host_port: 8080 })]))).rejects.toMatchObject(
    {
      code: 'port_taken',
      message: 'cannot publish 192.0.2.1:8080: EADDRNOTAVAIL',
      hint: 'choose an address of this host',
    },
  );
});

test('no network is a network card on nothing', async () => {
  const attachment = await none.attach(box([]));
  expect(attachment).toMatchObject({ netdev: UNCONNECTED_NETDEV, ports: [], guestAddress: null });
  expect(attachment.guest.enabled).toBe(false);
});

test.each([
  [
    "qemu-system-x86_64: -netdev user,id=net0,hostfwd=tcp:0.0.0.0:8080-10.0.2.15:80: Could not set up host forwarding rule 'tcp:0.0.0.0:8080-10.0.2.15:80'\n",
    'Bind for 0.0.0.0:8080 failed: port is already allocated',
  ],
  [
    "Could not set up host forwarding rule 'udp:127.0.0.1:53-10.0.2.15:53'",
    'Bind for 127.0.0.1:53 failed: port is already allocated',
  ],
])('QEMU losing the race for a port is a taken port', (stderr, message) => {
  expect(portTakenError(stderr)).toMatchObject({ code: 'port_taken', message });
});

test('of several forwards the one that QEMU complains about is named', () => {
  const stderr =
    'qemu-system-x86_64: -netdev user,id=net0,hostfwd=tcp:0.0.0.0:8080-10.0.2.15:80,hostfwd=tcp:0.0.0.0:8443-10.0.2.15:443: ' +
    "Could not set up host forwarding rule 'tcp:0.0.0.0:8443-10.0.2.15:443'";
  expect(portTakenError(stderr)?.message).toBe('Bind for 0.0.0.0:8443 failed: port is already allocated');
});

test.each(['', 'qemu-system-x86_64: invalid host forwarding rule', 'tcp:1.2.3.4:80-10.0.2.15:80'])(
  'other words of QEMU are no taken port: %j',
  (stderr) => {
    expect(portTakenError(stderr)).toBeNull();
  },
);

test('of a range the first port is taken that is free on the host and in the box', async () => {
  const first = await takenTcpPort();
  const host_range = { first, last: first + 2 };
  const ranged = mapping({ host_port: first, host_range });
  const record = box([ranged, { ...ranged, guest_port: 81 }]);
  const { ports } = await slirp.attach(record);
  expect(ports.map(({ host_port }) => host_port)).toEqual([first + 1, first + 2]);
  expect(ports[0]).toEqual({ ...ranged, host_port: first + 1, drawn: true });
  // A run whose monitor was lost does not decide for the next.
  const again = await slirp.attach(box([{ ...ranged, host_port: first + 2, drawn: true }]));
  expect(again.ports.map(({ host_port }) => host_port)).toEqual([first + 1]);
  const full = { ...ranged, host_range: { first, last: first } };
  await expect(slirp.attach(box([full]))).rejects.toMatchObject({
    code: 'port_taken',
    message: `Bind for 127.0.0.1:${first}-${first} failed: port is already allocated`,
  });
});

test('with fixed ports the network is known ahead, also when they are taken; with drawn ones it is not', async () => {
  const fixed = mapping({ host_port: await takenTcpPort() });
  expect(slirp.asAsked(box([fixed]))).toEqual({
    ...(await slirp.attach(box([]))),
    netdev: slirp.netdev(box([]), [fixed]),
    ports: [fixed],
  });
  const { host_port } = fixed;
  const drawn: Partial<PortMapping>[] = [
    { host_port: 0 },
    { host_port, drawn: true },
    { host_port, host_range: { first: host_port, last: host_port } },
  ];
  for (const change of drawn) expect(slirp.asAsked(box([fixed, mapping(change)]))).toBeNull();
  expect(none.asAsked(box([]))).toEqual(await none.attach(box([])));
});
