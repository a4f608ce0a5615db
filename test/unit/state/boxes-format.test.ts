import { expect, test } from 'vitest';

import { CorruptBoxesFile, formatBoxes, migrate, parseBoxes } from '../../../src/state/boxes-format.ts';
import { sampleBind, sampleRecord } from '../../sample-record.ts';

const full = sampleRecord({
  status: 'running',
  pid: 4321,
  pid_start: 123_456,
  cpus: 1.5,
  volumes: [
    sampleBind('/srv/a', '/data', { read_only: true, mode: 'ro' }),
    sampleBind('/v/data', '/v', { type: 'volume', name: 'data', mode: 'z', copy: true }),
  ],
  tmpfs: [{ target: '/run', options: 'size=64k', from_mount: false }],
  exposed_ports: [{ guest_port: 80, protocol: 'tcp' }],
  healthcheck: {
    test: ['CMD', 'true'],
    interval: 1,
    timeout: 0,
    start_period: 0,
    start_interval: 0,
    retries: 3,
  },
  port_map: [{ host_ip: '0.0.0.0', host_port: 0, guest_port: 53, protocol: 'udp' }],
  labels: { a: 'b' },
  started_at: '2026-01-02T03:04:06.000Z',
});

function text(record: object, version: unknown = 2): string {
  return JSON.stringify({ version, boxes: [record] });
}

test('what is written is read back the same', () => {
  expect(parseBoxes(formatBoxes([full]))).toEqual([full]);
  expect(parseBoxes(formatBoxes([]))).toEqual([]);
});

test('each box has a line of its own', () => {
  expect(formatBoxes([full, full]).split('\n')).toHaveLength(5);
});

test.each(Object.keys(full))('a record without %s is refused, naming the field', (field) => {
  const { [field]: _, ...rest } = { ...full } as Record<string, unknown>;
  expect(() => parseBoxes(text(rest))).toThrow(`box 1: bad field ${field}`);
});

test.each([
  ['id', 'DDC5B96E-BF9E-4AF5-93BA-EE9C70546CD5'],
  ['short_id', '../../../etc'],
  ['name', 'a b'],
  ['image_id', 'sha256:xyz'],
  ['status', 'exited'],
  ['pid', -1],
  ['pid', 1.5],
  ['memory_mb', '512'],
  ['volumes', [sampleBind('relative', '/data')]],
  ['volumes', [sampleBind('/v', '/data', { type: 'volume', name: '' })]],
  ['volumes', [sampleBind('/v', '/data', { type: 'volume', name: '../x' })]],
  ['volumes', [sampleBind('/v', '/data', { type: 'volume', name: 'v1', subpath: '../x' })]],
  ['exposed_ports', [{ guest_port: 70_000, protocol: 'tcp' }]],
  ['healthcheck', { test: 'true' }],
  ['tmpfs', [null]],
  ['env', ['A=1', 2]],
  ['network', 'host'],
  ['port_map', [{ host_ip: '', host_port: 65_536, guest_port: 1, protocol: 'tcp' }]],
  ['labels', ['a']],
  ['created_at', 'yesterday'],
  ['box_dir', 'boxes/x'],
])('a record whose %s is %j is refused', (field, value) => {
  expect(() => parseBoxes(text({ ...full, [field]: value }))).toThrow(`box 1: bad field ${field}`);
});

test('a short ID that is not the start of the ID is refused', () => {
  expect(() => parseBoxes(text({ ...full, short_id: '000000000000' }))).toThrow('short_id is not the start');
});

test('a field of a later minor version is kept', () => {
  const [box] = parseBoxes(text({ ...full, mood: 'sunny' }));
  expect(formatBoxes(box === undefined ? [] : [box])).toContain('"mood":"sunny"');
});

test('two boxes of the same name are refused', () => {
  const other = sampleRecord({ id: '4e54fbf9-99f5-4c1b-8d2e-0123456789ab', short_id: '4e54fbf999f5' });
  const boxes = { version: 2, boxes: [sampleRecord(), other] };
  expect(() => parseBoxes(JSON.stringify(boxes))).toThrow('box 2: another box has its ID or name');
});

test.each([
  '',
  '{',
  'null',
  '[]',
  '{}',
  '{"version":"1","boxes":[]}',
  '{"version":0,"boxes":[]}',
  '{"version":1}',
])('a file that is %j is corrupt', (content) => {
  expect(() => parseBoxes(content)).toThrow(CorruptBoxesFile);
});

test('a newer version is refused as such, whatever it looks like', () => {
  expect(() => parseBoxes('{"version":3,"boxen":{}}')).toThrow(
    'boxes.json has version 3, this a3s-box knows versions up to 2',
  );
});

test('version 1, which knew no volumes, is read', () => {
  const { exposed_ports: _p, publish_all: _a, healthcheck: _h, ...rest } = sampleRecord();
  const old = {
    ...rest,
    volumes: [{ type: 'bind', source: '/srv', target: '/data', read_only: true }],
    tmpfs: [{ target: '/run', options: '' }],
  };
  expect(parseBoxes(text(old, 1))).toEqual([
    sampleRecord({
      volumes: [sampleBind('/srv', '/data', { read_only: true, mode: 'ro' })],
      tmpfs: [{ target: '/run', options: '', from_mount: false }],
    }),
  ]);
  expect(() => parseBoxes(text({ ...old, volumes: 'x' }, 1))).toThrow('box 1: bad field volumes');
});

test('an older version is migrated step by step', () => {
  const steps = {
    1: (boxes: unknown[]) => [...boxes, 'to 2'],
    2: (boxes: unknown[]) => [...boxes, 'to 3'],
  };
  expect(migrate({ version: 1, boxes: ['a'] }, 3, steps)).toEqual(['a', 'to 2', 'to 3']);
  expect(migrate({ version: 2, boxes: ['a'] }, 3, steps)).toEqual(['a', 'to 3']);
  expect(migrate({ version: 3, boxes: ['a'] }, 3, steps)).toEqual(['a']);
});

test('a version that was never written is corrupt', () => {
  expect(() => migrate({ version: 1, boxes: [] }, 2, {})).toThrow('version 1 was never written');
});
