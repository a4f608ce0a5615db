import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { PERL, perl, udpEcho } from './fixture/perl.ts';
import { ask, freePort, isFree, listening } from '../fixture/ports.ts';
import { recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('ports');

describe('-p', () => {
  const tcpEcho = ['a3s/base', 'nc', '-ll', '-p', '80', '-e', 'cat'];

  test('publishes a TCP port on the given host port', async () => {
    const port = await freePort();
    const name = await boxes.detached('tcp', ['-p', `${port}:80`, ...tcpEcho]);
    expect(await until('an answer', () => ask(port), 20_000)).toBe('hello\n');
    expect(recordOf(name).port_map).toEqual([
      { host_ip: '0.0.0.0', host_port: port, guest_port: 80, protocol: 'tcp' },
    ]);
    await a3sOk(['rm', '-f', name]);
    expect(await isFree(port)).toBe(true);
  });

  test('publishes on the first free port of a range, which inspect shows as it was asked for', async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    const taken = await listening(server, '127.0.0.1', await freePort());
    const range = `${taken}-${taken + 9}`;
    const name = await boxes.detached('range', ['-p', `127.0.0.1:${range}:80`, 'a3s/base', 'sleep', '1000']);
    const [, port = ''] = /^80\/tcp -> 127\.0\.0\.1:(\d+)$/.exec(await a3sOk(['port', name])) ?? [];
    expect(Number(port)).toBeGreaterThan(taken);
    expect(Number(port)).toBeLessThanOrEqual(taken + 9);
    const format = '{{json .HostConfig.PortBindings}} {{json .NetworkSettings.Ports}}';
    expect(await a3sOk(['inspect', '-f', format, name])).toBe(
      `{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"${range}"}]} {"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"${port}"}]}`,
    );
  });

  test('publishes on a random host port, on one address of the host', async () => {
    const name = await boxes.detached('random', ['-p', '127.0.0.1::80', ...tcpEcho]);
    const port = recordOf(name).port_map[0]?.host_port ?? 0;
    expect(port).toBeGreaterThan(1023);
    expect(await until('an answer', () => ask(port), 20_000)).toBe('hello\n');
    expect(await a3sOk(['ps', '--filter', `name=${name}`, '--format', '{{.Ports}}'])).toBe(
      `127.0.0.1:${port}->80/tcp`,
    );
    // Another loopback address of this machine.
    expect(await ask(port, '127.0.0.2')).toBeUndefined();
  });

  test('publishes a UDP port', async () => {
    const port = await freePort();
    const name = await boxes.detached('udp', [
      '-p',
      `${port}:5353/udp`,
      ...PERL,
      'a3s/base',
      ...perl(udpEcho(5353)),
    ]);
    await until('the service', async () => (await a3sOk(['logs', name])) === 'ready', 20_000);
    const answers: string[] = [];
    const client = createSocket('udp4', (message) => answers.push(message.toString()));
    // Who sends a datagram does not know whether it arrives.
    await until('an answer', () => {
      client.send('hello', port, '127.0.0.1');
      return answers.length > 0;
    });
    client.close();
    expect(new Set(answers)).toEqual(new Set(['echo hello']));
  });

  test('refuses a taken port with 125 and leaves nothing behind', async () => {
    const server = createServer();
    const port = await listening(server, '0.0.0.0');
    const name = boxes.name('taken');
    const cidfile = join(tmpdir(), `${name}.cid`);
    const flags = ['--name', name, '--cidfile', cidfile, '-p', `${port}:80`];
    const { status, out, err } = await a3s(['run', '-d', ...flags, ...tcpEcho]);
    server.close();
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err).toContain(`Bind for 0.0.0.0:${port} failed: port is already allocated`);
    expect(err).toMatch(/^a3s-box: Error response from daemon: /);
    // `run` of docker leaves a created box here; say that nothing stays.
    expect(await a3sOk(['ps', '-aq', '--filter', `name=${name}`])).toBe('');
    expect(existsSync(cidfile)).toBe(false);
  });

  test('refuses a port that another box has published', async () => {
    const port = await freePort();
    await boxes.detached('first', ['-p', `${port}:80`, ...tcpEcho]);
    const { status, err } = await a3s(['run', '--rm', '-p', `${port}:80`, ...tcpEcho]);
    expect(status).toBe(125);
    expect(err).toContain(`Bind for 0.0.0.0:${port} failed: port is already allocated`);
  });
});
