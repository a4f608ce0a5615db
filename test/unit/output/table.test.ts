import { expect, test } from 'vitest';

import { describePorts } from '../../../src/output/ports.ts';
import { alignColumns, renderTable } from '../../../src/output/table.ts';
import { ellipsis } from '../../../src/output/truncate.ts';

test('columns are as wide as their widest cell and three spaces, ten at least', () => {
  const table = renderTable(
    ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
    [
      ['busybox', 'latest', '9e564a282196', '17 minutes ago', '1.98MB'],
      ['localhost/bb', 'latest', '9e564a282196', '17 minutes ago', '1.98MB'],
    ],
  );
  expect(table).toBe(`REPOSITORY     TAG       IMAGE ID       CREATED          SIZE
busybox        latest    9e564a282196   17 minutes ago   1.98MB
localhost/bb   latest    9e564a282196   17 minutes ago   1.98MB
`);
});

test('an empty last cell leaves the padding before it, as docker does', () => {
  expect(alignColumns(['NAMES\tSTATUS\tPORTS', 'w4\tUp 1 second\t'])).toEqual([
    'NAMES     STATUS        PORTS',
    'w4        Up 1 second   ',
  ]);
});

test('width is counted in characters', () => {
  expect(alignColumns(['a\tb', 'ééééééééé\tb'])).toEqual(['a           b', 'ééééééééé   b']);
});

test('lines with fewer cells end a column', () => {
  expect(alignColumns(['a\tb', 'plain', 'ccccccccccc\td'])).toEqual([
    'a         b',
    'plain',
    'ccccccccccc   d',
  ]);
});

test('ports that keep their number come first, as ranges', () => {
  const port = (host_ip: string, host_port: number, guest_port: number, protocol = 'tcp') => ({
    host_ip,
    host_port,
    guest_port,
    protocol,
  });
  expect(describePorts([])).toBe('');
  expect(describePorts([port('0.0.0.0', 8080, 80)])).toBe('0.0.0.0:8080->80/tcp');
  expect(
    describePorts([
      port('0.0.0.0', 8001, 8001),
      port('0.0.0.0', 8000, 8000),
      port('0.0.0.0', 8003, 8003),
      port('::', 53, 53, 'udp'),
      port('127.0.0.1', 8080, 80),
    ]),
  ).toBe('0.0.0.0:8000-8001->8000-8001/tcp, [::]:53->53/udp, 0.0.0.0:8003->8003/tcp, 127.0.0.1:8080->80/tcp');
});

test('an exposed port that nobody published stands alone', () => {
  const published = [{ host_ip: '0.0.0.0', host_port: 32_768, guest_port: 80, protocol: 'tcp' }];
  const exposed = [80, 81, 82].map((guest_port) => ({ guest_port, protocol: 'tcp' }));
  expect(describePorts(published, exposed)).toBe('81-82/tcp, 0.0.0.0:32768->80/tcp');
});

test('a text that does not fit ends with an ellipsis', () => {
  expect(ellipsis("sh -c 'echo out; echo err >&2; exit 3'", 20)).toBe("sh -c 'echo out; ec…");
  expect(ellipsis('exactly twenty chars', 20)).toBe('exactly twenty chars');
});
