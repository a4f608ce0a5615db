import { expect, test } from 'vitest';

import { parseControl, parseLaunch } from '../../../src/runtime/monitor/requests.ts';
import { sampleRecord } from '../../sample-record.ts';

const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const launch = {
  op: 'launch',
  home: '/home/user/.a3s',
  record: sampleRecord(),
  rootfs: { path: '/r.squashfs', digest: 'sha256:1' },
  output: true,
  stdin: false,
  trace: '',
};

test('a launch request is complete: window size by default', () => {
  expect(parseLaunch(bytes(launch))).toEqual({ ...launch, rows: 24, cols: 80 });
  expect(parseLaunch(bytes({ ...launch, rows: 50, cols: 132 }))).toMatchObject({ rows: 50, cols: 132 });
});

test.each([
  ['no home', { ...launch, home: undefined }, 'home must be a string'],
  ['no root filesystem', { ...launch, rootfs: null }, 'rootfs.path must be a string'],
  [
    'a digest that is no string',
    { ...launch, rootfs: { path: '/r', digest: 1 } },
    'rootfs.digest must be a string',
  ],
  ['no place for spans', { ...launch, trace: null }, 'trace must be a string'],
  ['no record', { ...launch, record: [] }, 'not an object'],
  ['a damaged record', { ...launch, record: { ...launch.record, cpus: '2' } }, 'bad field cpus'],
  ['a window of half rows', { ...launch, rows: 1.5 }, 'rows must be a whole number from 0 to 65535'],
])('a launch request with %s is refused', (_name, value, message) => {
  expect(() => parseLaunch(bytes(value))).toThrow(message);
});

test('control requests are understood', () => {
  expect(parseControl(bytes({ op: 'attach', output: true, stdin: true, rows: 1, cols: 2 }))).toEqual({
    op: 'attach',
    output: true,
    stdin: true,
    rows: 1,
    cols: 2,
  });
  expect(parseControl(bytes({ op: 'signal', number: 64 }))).toEqual({ op: 'signal', number: 64 });
  for (const op of ['stop', 'restart']) {
    const request = { op, signal: 15, timeoutSeconds: -1 };
    expect(parseControl(bytes(request))).toEqual(request);
  }
  const limit = { op: 'limit', cpus: 1.5, memoryMb: 256 };
  expect(parseControl(bytes(limit))).toEqual(limit);
  const all = { ...limit, pids: 0, memoryReservation: 64 };
  expect(parseControl(bytes(all))).toEqual(all);
  const spec = { cmd: ['sh', '-c', 'x'], env: ['A=b'], tty: true, openStdin: false, privileged: true };
  const more = { workingDir: '/', user: '1:2', rows: 3, cols: 4, timeoutSeconds: 5 };
  expect(parseControl(bytes({ op: 'exec', spec }))).toEqual({ op: 'exec', spec });
  expect(parseControl(bytes({ op: 'exec', spec: { ...spec, ...more } }))).toEqual({
    op: 'exec',
    spec: { ...spec, ...more },
  });
  for (const op of ['pause', 'unpause', 'wait']) {
    expect(parseControl(bytes({ op, more: 1 }))).toEqual({ op });
  }
});

test.each([
  [{ op: 'signal', number: 0 }, 'number must be a whole number from 1 to 64'],
  [{ op: 'signal', number: 65 }, 'number must be a whole number from 1 to 64'],
  [{ op: 'signal', number: '9' }, 'number must be a whole number from 1 to 64'],
  [{ op: 'limit', cpus: 0, memoryMb: 64 }, 'cpus must be a number from 0.01 to 1024'],
  [{ op: 'limit', cpus: 1, memoryMb: 1, pids: -1 }, 'pids must be a whole number from 0 to 4194304'],
  [{ op: 'limit', cpus: 1, memoryMb: 1.5 }, 'memoryMb must be a whole number from 1 to 9007199254740991'],
  [{ op: 'stop', signal: 15 }, 'timeoutSeconds must be a whole number from -1 to 2147483'],
  [
    { op: 'stop', signal: 15, timeoutSeconds: -2 },
    'timeoutSeconds must be a whole number from -1 to 2147483',
  ],
  // In milliseconds a timer would take it for no time at all.
  [
    { op: 'stop', signal: 15, timeoutSeconds: 2_147_484 },
    'timeoutSeconds must be a whole number from -1 to 2147483',
  ],
  [{ op: 'exec' }, 'cmd must be a list'],
  [{ op: 'exec', spec: { cmd: [1] } }, 'cmd must be a string'],
  [{ op: 'exec', spec: { cmd: ['x'], env: 'A=b' } }, 'env must be a list'],
  [{ op: 'exec', spec: { cmd: ['x'], env: [], timeoutSeconds: 'x' } }, 'timeoutSeconds must be a number'],
  [{ op: 'resume' }, 'unknown control request "resume"'],
  [{}, 'unknown control request undefined'],
  [[], 'control request is not a JSON object'],
])('%j is refused', (value, message) => {
  expect(() => parseControl(bytes(value))).toThrow(message);
});

test('what is not JSON is refused', () => {
  expect(() => parseControl(Buffer.from('{"op":'))).toThrow('control request is not valid JSON');
  expect(() => parseLaunch(Buffer.alloc(0))).toThrow('launch request is not valid JSON');
});
