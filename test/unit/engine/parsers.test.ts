import { expect, test } from 'vitest';

import { parsePublish } from '../../../src/engine/ports.ts';
import { parseSignal } from '../../../src/engine/signals.ts';
import { parseRfc3339, parseTimestamp } from '../../../src/engine/timestamps.ts';
import { parseDuration, parseSize } from '../../../src/units.ts';
import { A3sError } from '../../../src/errors.ts';

test.each([
  ['0', 0],
  ['4096', 4096],
  ['512b', 512],
  ['1k', 1024],
  ['32kB', 32_768],
  ['512m', 512 * 1024 ** 2],
  ['64MiB', 64 * 1024 ** 2],
  ['2g', 2 * 1024 ** 3],
  ['1.5G', 1.5 * 1024 ** 3],
  ['1 t', 1024 ** 4],
  ['0.5', 0],
  ['.5k', 512],
  ['1.', 1],
  ['1e3', 1000],
])('the size %s is %d bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  ...['', 'm', '-1', '-1k', '99999999p', '1e30', 'Inf'].map((text) => [text, `invalid size: '${text}'`]),
  ['1X', `invalid suffix: 'x'`],
  ['1mm', `invalid suffix: 'mm'`],
  ['1mi', `invalid suffix: 'mi'`],
  ['12Parsecs', `invalid suffix: 'Parsecs'`],
  [' 1', 'strconv.ParseFloat: parsing " 1": invalid syntax'],
  ['1  k', 'strconv.ParseFloat: parsing "1 ": invalid syntax'],
  ['1m ', 'strconv.ParseFloat: parsing "1m": invalid syntax'],
  ['0x10', 'strconv.ParseFloat: parsing "0x10": invalid syntax'],
  ['1.5.5', 'strconv.ParseFloat: parsing "1.5.5": invalid syntax'],
])('%j is no size: %s', (text, message) => {
  expect(() => parseSize(text)).toThrow(expect.objectContaining({ message: message }));
});

test.each([
  ['0', 0],
  ['300ms', 300e6],
  ['1.5s', 1.5e9],
  ['1h30m', 5400e9],
  ['-2m', -120e9],
  ['2us', 2000],
  ['2µs', 2000],
  ['.5s', 5e8],
])('the duration %s is %d ns', (text, ns) => {
  expect(parseDuration(text)).toBe(ns);
});

test.each([
  ...['', '-', 's', '.s', 's1', '--1s', '2562048h', '9999999999999999999s', '9'.repeat(20)].map((text) => [
    text,
    `invalid duration "${text}"`,
  ]),
  ['1', 'missing unit in duration "1"'],
  ['1h1', 'missing unit in duration "1h1"'],
  ['1..5s', 'missing unit in duration "1..5s"'],
  ['1d', 'unknown unit "d" in duration "1d"'],
  ['1 s', 'unknown unit " s" in duration "1 s"'],
  ['1\\s', 'unknown unit "\\\\s" in duration "1\\\\s"'],
  ['ü\n"', 'invalid duration "\\xc3\\xbc\\x0a\\""'],
])('%j is no duration: %s', (text, message) => {
  expect(() => parseDuration(text)).toThrow(expect.objectContaining({ message: `time: ${message}` }));
});

test('a text of any length is judged at once', () => {
  const digits = '9'.repeat(100_000);
  for (const text of [digits, `${digits}x`, '1s'.repeat(50_000), 'x'.repeat(100_000)]) {
    expect(() => parseSize(text)).toThrow(A3sError);
  }
  expect(() => parseDuration(`${digits}x`)).toThrow(A3sError);
});

const NOW = 1_763_800_000n * 1_000_000_000n;

test.each([
  ['1763800000', 1_763_800_000_000_000_000n],
  ['1763800000.5', 1_763_800_000_500_000_000n],
  ['2025-11-22T08:26:40Z', 1_763_800_000_000_000_000n],
  ['2025-11-22T08:26:40.000000001Z', 1_763_800_000_000_000_001n],
  ['2025-11-22T10:26:40+02:00', 1_763_800_000_000_000_000n],
  ['10m', NOW - 600_000_000_000n],
])('the time %s is %d ns', (text, ns) => {
  expect(parseTimestamp(text, NOW)).toBe(ns);
});

test('a time without a zone is local', () => {
  const local = BigInt(new Date(2025, 10, 22, 8, 26).getTime()) * 1_000_000n;
  expect(parseRfc3339('2025-11-22T08:26')).toBe(local);
});

test.each(['', 'yesterday', '2025-13-45', '2025-11-22 08:26', '10x', '9'.repeat(20)])(
  '%j is no time',
  (text) => {
    expect(() => parseTimestamp(text, NOW)).toThrow(`invalid value for time: ${text}`);
  },
);

test.each([
  ['TERM', 15],
  ['SIGTERM', 15],
  ['sigkill', 9],
  ['hup', 1],
  ['9', 9],
  ['64', 64],
  ['RTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['rtmax-1', 63],
  ['RTMAX', 64],
])('the signal %s is %d', (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test.each(['', '0', '65', '-9', 'NOSUCH', 'SIG', 'SIGSIGTERM', 'RTMIN+31', 'RTMAX-40', '9x'])(
  '%j is no signal',
  (text) => {
    expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
  },
);

const tcp = { host_ip: '0.0.0.0', protocol: 'tcp' };

test.each([
  ['80', [{ ...tcp, host_port: 0, guest_port: 80 }]],
  ['8080:80', [{ ...tcp, host_port: 8080, guest_port: 80 }]],
  ['127.0.0.1:8080:80/udp', [{ host_ip: '127.0.0.1', host_port: 8080, guest_port: 80, protocol: 'udp' }]],
  ['127.0.0.1::80', [{ ...tcp, host_ip: '127.0.0.1', host_port: 0, guest_port: 80 }]],
  ['53:53/UDP', [{ host_ip: '0.0.0.0', host_port: 53, guest_port: 53, protocol: 'udp' }]],
  [
    '8000-8001:9000-9001',
    [
      { ...tcp, host_port: 8000, guest_port: 9000 },
      { ...tcp, host_port: 8001, guest_port: 9001 },
    ],
  ],
  ['8000-8002:80', [{ ...tcp, host_port: 8000, guest_port: 80, host_range: { first: 8000, last: 8002 } }]],
  ['8000-8000:80', [{ ...tcp, host_port: 8000, guest_port: 80 }]],
  [
    '9000-9001',
    [
      { ...tcp, host_port: 0, guest_port: 9000 },
      { ...tcp, host_port: 0, guest_port: 9001 },
    ],
  ],
])('-p %s', (spec, mappings) => {
  expect(parsePublish(spec)).toEqual(mappings);
});

test.each([
  ['', 'no port specified: <empty>'],
  ['80:', 'no port specified: 80:<empty>'],
  ['80:x', 'invalid containerPort: x'],
  ['80:0', 'invalid containerPort: 0'],
  ['80:65536', 'invalid containerPort: 65536'],
  ['80:90-80', 'invalid containerPort: 90-80'],
  ['x:80', 'invalid hostPort: x'],
  ['70000:80', 'invalid hostPort: 70000'],
  ['localhost:80:80', 'invalid IP address: localhost'],
  ['1.2.3.4.5:80:80', 'invalid IP address: 1.2.3.4.5'],
  ['80:80/icmp', 'invalid proto: icmp'],
  ['80:80/sctp', 'publishing SCTP ports is not supported'],
  ['8000-8002:80-81', 'invalid ranges specified for container and host Ports: 80-81 and 8000-8002'],
])('-p %j is refused: %s', (spec, message) => {
  expect(() => parsePublish(spec)).toThrow(message);
});

test.each(['[::1]:8080:80', '[::]:8080:80', '::1:8080:80'])('-p %s: IPv6 cannot be published', (spec) => {
  expect(() => parsePublish(spec)).toThrow(
    expect.objectContaining({
      code: 'unsupported',
      message: expect.stringMatching(/^publishing on an IPv6 address is not supported yet: ::1?$/),
    }),
  );
});
