import { expect, test } from 'vitest';

import { exposedPorts, parseExpose, publishExposed } from '../../../src/engine/exposed-ports.ts';

const tcp = (guest_port: number) => ({ guest_port, protocol: 'tcp' as const });
const udp = (guest_port: number) => ({ guest_port, protocol: 'udp' as const });

test.each([
  ['80', [tcp(80)]],
  ['80/tcp', [tcp(80)]],
  ['53/UDP', [udp(53)]],
  ['8000-8001/tcp', [tcp(8000), tcp(8001)]],
])('--expose %s', (spec, ports) => {
  expect(parseExpose(spec)).toEqual(ports);
});

test.each([
  ['80:80', 'invalid port format for --expose: 80:80'],
  ['x', 'invalid range format for --expose: x, error: strconv.ParseUint: parsing "x": invalid syntax'],
  ['', 'invalid range format for --expose: , error: empty string specified for ports'],
  ['70000', 'error: strconv.ParseUint: parsing "70000": value out of range'],
  ['0', 'invalid range format for --expose: 0'],
  ['80/icmp', 'invalid range format for --expose: 80/icmp'],
  ['90-80', 'invalid range format for --expose: 90-80'],
])('--expose %s is refused: %s', (spec, message) => {
  expect(() => parseExpose(spec)).toThrow(message);
});

test('a port that image and caller name is exposed once', () => {
  expect(exposedPorts([tcp(80), tcp(81)], ['80/tcp', '53/udp'])).toEqual([tcp(80), udp(53), tcp(81)]);
  expect(() => exposedPorts([], ['http'])).toThrow('the image exposes what is no port: http');
});

test('-P draws a port for each exposed one that is not published', () => {
  const given = { host_ip: '127.0.0.1', host_port: 8080, guest_port: 80, protocol: 'tcp' as const };
  expect(publishExposed([given], [tcp(80), udp(53), { guest_port: 9, protocol: 'sctp' }])).toEqual([
    given,
    { host_ip: '0.0.0.0', host_port: 0, guest_port: 53, protocol: 'udp', exposed: true },
  ]);
});
