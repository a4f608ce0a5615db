import { expect, test } from 'vitest';

import { containerJson } from '../../../src/engine/container-json.ts';
import { inspectObject } from '../../../src/engine/inspect.ts';
import { processStart } from '../../../src/state/processes.ts';
import { sampleBind, sampleRecord } from '../../sample-record.ts';
import { addBoxes, testEngine } from './fixture/engine.ts';

test('a box has the shape of Docker, with its record under Box', async () => {
  const engine = testEngine();
  const [box] = await addBoxes(engine, {
    name: 'd1',
    status: 'running',
    pid: process.pid,
    pid_start: processStart(process.pid),
    cmd: ['sleep', '1000'],
    volumes: [sampleBind('/srv', '/data', { read_only: true, mode: 'ro' })],
    port_map: [
      { host_ip: '0.0.0.0', host_port: 32_768, guest_port: 8080, protocol: 'tcp' },
      { host_ip: '127.0.0.1', host_port: 8080, guest_port: 8080, protocol: 'tcp' },
    ],
    started_at: '2026-01-02T03:04:06.000Z',
  });
  expect(await inspectObject(engine, 'd1')).toMatchObject({
    Id: box?.id,
    Name: '/d1',
    Path: 'sleep',
    Args: ['1000'],
    State: {
      Status: 'running',
      Running: true,
      Pid: process.pid,
      ExitCode: 0,
      StartedAt: '2026-01-02T03:04:06.000Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    },
    HostConfig: {
      Binds: ['/srv:/data:ro'],
      Memory: 536_870_912,
      NanoCpus: 2_000_000_000,
      NetworkMode: 'bridge',
    },
    Config: { Image: 'a3s/base', Cmd: ['sleep', '1000'], Entrypoint: null },
    NetworkSettings: {
      Ports: {
        '8080/tcp': [
          { HostIp: '0.0.0.0', HostPort: '32768' },
          { HostIp: '127.0.0.1', HostPort: '8080' },
        ],
      },
    },
    Box: box,
  });
});

test('what -P publishes is among the ports, and not among those that were asked for', async () => {
  const engine = testEngine();
  await addBoxes(engine, {
    name: 'd1',
    status: 'running',
    pid: process.pid,
    pid_start: processStart(process.pid),
    publish_all: true,
    port_map: [
      { host_ip: '0.0.0.0', host_port: 8080, guest_port: 80, protocol: 'tcp' },
      { host_ip: '0.0.0.0', host_port: 32_768, guest_port: 53, protocol: 'udp', exposed: true },
    ],
  });
  const inspected = await inspectObject(engine, 'd1');
  expect(inspected).toHaveProperty('HostConfig.PublishAllPorts', true);
  expect(inspected).toHaveProperty('HostConfig.PortBindings', {
    '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }],
  });
  expect(inspected).toHaveProperty('NetworkSettings.Ports', {
    '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }],
    '53/udp': [{ HostIp: '0.0.0.0', HostPort: '32768' }],
  });
});

test.each([
  ['running', 'default', { IPAddress: '10.0.2.15', IPPrefixLen: 24, Gateway: '10.0.2.2' }],
  ['running', 'none', { IPAddress: '', IPPrefixLen: 0, Gateway: '', MacAddress: '' }],
  ['stopped', 'default', { IPAddress: '', IPPrefixLen: 0, Gateway: '', MacAddress: '' }],
] as const)('the addresses of a box that is %s, with the network %s', (status, network, address) => {
  const settings = containerJson(sampleRecord({ status, network })).NetworkSettings;
  expect(settings).toMatchObject(address);
  expect(Object.values(settings.Networks)).toMatchObject([address]);
});

test.each([
  ['created', 'created'],
  ['stopped', 'exited'],
  ['dead', 'dead'],
] as const)('the status %s is shown as %s', async (status, word) => {
  const engine = testEngine();
  await addBoxes(engine, { name: 'd1', status });
  expect(await inspectObject(engine, 'd1')).toMatchObject({
    State: { Status: word, Running: false, Pid: 0 },
  });
});

test('what is no box may be an image', async () => {
  const engine = testEngine({ Cmd: ['sh'], ExposedPorts: { '80/tcp': {} } });
  expect(await inspectObject(engine, 'a3s/base')).toMatchObject({
    Id: engine.imageId,
    RepoTags: ['a3s/base:latest'],
    Architecture: 'amd64',
    Config: { Cmd: ['sh'], Entrypoint: null, ExposedPorts: { '80/tcp': {} } },
    RootFS: { Type: 'layers' },
  });
});

test.each([
  [undefined, 'No such object: nosuch'],
  ['container', 'No such container: nosuch'],
  ['image', 'No such image: nosuch:latest'],
] as const)('nothing found with the type %s: %s', async (type, message) => {
  await expect(inspectObject(testEngine(), 'nosuch', type)).rejects.toMatchObject({ message });
});

test('what cannot name an image is no object either', async () => {
  await expect(inspectObject(testEngine(), 'No Such')).rejects.toThrow('No such object: No Such');
});
