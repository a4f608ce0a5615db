import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { FarHost } from './fixture/far-host.ts';
import { PERL, perl, udpProbe } from './fixture/perl.ts';
import { ask, freePort, listening } from '../fixture/ports.ts';
import { until } from './fixture/until.ts';

boxesOf('net');

describe("a service on the host's 127.0.0.1", () => {
  let tcp: Server;
  let udp: UdpSocket;
  let port: number;
  const heard: string[] = [];

  beforeAll(async () => {
    tcp = createServer((socket) => {
      heard.push('tcp');
      socket.on('error', () => {});
      socket.end('hello from the host\n');
    });
    // Free for UDP as well.
    port = await listening(tcp, '127.0.0.1', await freePort());
    udp = createSocket('udp4', (message, from) => {
      heard.push(`udp ${message.toString()}`);
      udp.send('hello from the host', from.port, from.address);
    });
    await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
  });
  afterAll(() => {
    tcp.close();
    udp.close();
  });

  const addresses = ['10.0.2.2', '127.0.0.1', '10.0.2.3', '10.0.2.77', '10.0.2.255', '0.0.0.0'];

  test('is there', async () => {
    expect(await ask(port)).toBe('hello from the host\n');
    expect(heard.splice(0)).toEqual(['tcp']);
  });

  test.each(addresses)('cannot be reached from a box by TCP as %s', async (address) => {
    const probe = `nc -w 2 ${address} ${port} < /dev/null; echo "status $?"`;
    const out = await a3sOk(['run', '--rm', 'a3s/base', 'sh', '-c', probe]);
    expect(out).toMatch(/^status [1-9]\d*$/);
    expect(heard).toEqual([]);
  });

  test.each(addresses.slice(0, 4))('cannot be reached from a box by UDP as %s', async (address) => {
    const out = await a3sOk(['run', '--rm', ...PERL, 'a3s/base', ...perl(udpProbe(`${address}:${port}`, 2))]);
    expect(out).toMatch(/^(silence|refused)$/);
    // What arrived before this datagram would have been heard by now.
    const probe = createSocket('udp4');
    probe.send('last', port, '127.0.0.1');
    await until('the last datagram', () => heard.includes('udp last'));
    probe.close();
    expect(heard.splice(0)).toEqual(['udp last']);
  });

  test('cannot be reached by root in the box, nor by a box that changes its routes', async () => {
    const script = `ip route add 10.0.2.2 dev eth0; ip route flush table all; nc -w 2 10.0.2.2 ${port} < /dev/null; echo "status $?"`;
    const { out } = await a3s(['run', '--rm', 'a3s/base', 'sh', '-c', script]);
    expect(out).toMatch(/^status [1-9]\d*\n$/);
    expect(heard).toEqual([]);
  });
});

describe.skipIf(FarHost.obstacle !== null)(
  `outbound (${FarHost.obstacle ?? 'to a network namespace'})`,
  () => {
    let far: FarHost;
    beforeAll(async () => {
      far = await FarHost.open();
    });
    afterAll(() => far.close());

    test('TCP reaches a host beyond this one', async () => {
      const script = `echo hello | nc -w 10 ${far.address} ${far.port}`;
      expect(await a3sOk(['run', '--rm', 'a3s/base', 'sh', '-c', script])).toBe('echo hello');
    });

    test('UDP reaches a host beyond this one', async () => {
      const program = udpProbe(`${far.address}:${far.port}`, 20);
      expect(await a3sOk(['run', '--rm', ...PERL, 'a3s/base', ...perl(program)])).toBe('echo probe');
    });

    test('is cut off by --network none', async () => {
      const script = `nc -w 2 ${far.address} ${far.port} < /dev/null; echo "status $?"`;
      const { out } = await a3s(['run', '--rm', '--network', 'none', 'a3s/base', 'sh', '-c', script]);
      expect(out).toMatch(/^status [1-9]\d*\n$/);
    });
  },
);
