import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { createBox } from '../../../src/engine/create.ts';
import { bindRequest } from '../../../src/engine/volumes/mount-request.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { createOptions, testEngine } from './fixture/engine.ts';

test('a box gets a record and a private directory', async () => {
  const engine = testEngine({ Cmd: ['sh'], Env: ['A=1'] });
  const record = await createBox(engine, createOptions({ name: 'web', env: ['B=2'], labels: { x: 'y' } }));
  expect(await readBoxes(engine.layout)).toEqual([record]);
  expect(record).toMatchObject({
    short_id: record.id.replaceAll('-', '').slice(0, 12),
    name: 'web',
    image: 'a3s/base',
    image_id: engine.imageId,
    status: 'created',
    pid: null,
    memory_mb: 512,
    cmd: ['sh'],
    hostname: record.short_id,
    labels: { x: 'y' },
    stop_signal: 'SIGTERM',
    stop_timeout: 10,
    box_dir: join(engine.layout.boxesDir, record.short_id),
    exec_socket_path: join(engine.layout.boxesDir, record.short_id, 'sockets', 'exec.sock'),
  });
  expect((statSync(record.box_dir).mode & 0o777).toString(8)).toBe('700');
});

test('a box without a name gets one', async () => {
  const engine = testEngine();
  expect((await createBox(engine, createOptions())).name).toMatch(/^[a-z]+_[a-z]+$/);
});

test('a taken name is refused in the words of Docker', async () => {
  const engine = testEngine();
  const { id } = await createBox(engine, createOptions({ name: 'd1' }));
  await expect(createBox(engine, createOptions({ name: 'd1' }))).rejects.toMatchObject({
    code: 'name_conflict',
    message:
      `Conflict. The container name "/d1" is already in use by container "${id}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  });
  expect(readdirSync(engine.layout.boxesDir)).toHaveLength(1);
});

test('one of many that want a name gets it', async () => {
  const engine = testEngine();
  const all = await Promise.allSettled(
    Array.from({ length: 8 }, () => createBox(engine, createOptions({ name: 'd1' }))),
  );
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readBoxes(engine.layout)).toHaveLength(1);
});

const most = Math.max(2, availableParallelism());

test.each([
  [{ name: 'a b' }, 'invalid_config', 'Invalid container name (a b)'],
  [{ memoryBytes: 64 * 1024 * 1024 - 1 }, 'invalid_config', 'Minimum memory limit allowed is 64MB'],
  [{ cpus: 0 }, 'invalid_config', `range of CPUs is from 0.01 to ${most}.00, as there are only`],
  [{ cpus: most + 1 }, 'invalid_config', `range of CPUs is from 0.01 to ${most}.00, as there are only`],
  [{ hostname: 'a b' }, 'invalid_config', 'invalid hostname: a b'],
  [{ hostname: 'a'.repeat(64) }, 'invalid_config', 'invalid hostname: a'],
  [{ image: 'nosuchimg:1' }, 'no_such_image', 'No such image: nosuchimg:1'],
  [{ image: 'nosuchimg' }, 'no_such_image', 'No such image: nosuchimg:latest'],
  [{ image: 'Foo' }, 'usage', 'repository name (library/Foo) must be lowercase'],
  [{ entrypoint: [] }, 'invalid_config', 'no command specified'],
  [
    {
      volumes: [bindRequest({ source: '/tmp', target: '/a' })],
      tmpfs: [{ target: '/a', options: '', from_mount: false }],
    },
    'invalid_config',
    'Duplicate mount point: /a',
  ],
])('%j is refused and leaves no box', async (options, code, message) => {
  const engine = testEngine();
  await expect(createBox(engine, createOptions(options))).rejects.toMatchObject({
    code,
    message: expect.stringContaining(message),
  });
  expect(await readBoxes(engine.layout)).toEqual([]);
  expect(existsSync(engine.layout.boxesDir)).toBe(false);
});

test('a bind source that is missing is made as a directory, a file is taken as it is', async () => {
  const engine = testEngine();
  const directory = join(engine.bundleDir, 'made', 'here');
  const file = join(engine.bundleDir, 'file');
  writeFileSync(file, 'x');
  const volumes = [
    bindRequest({ source: directory, target: '/a' }),
    bindRequest({ source: file, target: '/b' }),
  ];
  await createBox(engine, createOptions({ volumes }));
  expect(statSync(directory).isDirectory()).toBe(true);
  expect(statSync(file).isFile()).toBe(true);
});

test('more than 16 directories and volumes are refused before anything is made; files and repeated ones do not count', async () => {
  const engine = testEngine();
  const top = temporaryDirectory();
  const bind = (name: string, target: string) => bindRequest({ source: join(top, name), target, mode: '' });
  const sixteen = Array.from({ length: 16 }, (_, n) => bind(`d${n}`, `/m${n}`));
  await expect(
    createBox(engine, createOptions({ volumes: [...sixteen, bind('d16', '/m16')] })),
  ).rejects.toMatchObject({
    code: 'invalid_config',
    message: 'a box takes at most 16 directories and volumes of the host, not 17',
    hint: 'mount a directory that holds several of them',
  });
  expect([readdirSync(top), await readBoxes(engine.layout)]).toEqual([[], []]);
  writeFileSync(join(top, 'file'), '');
  await createBox(
    engine,
    createOptions({ volumes: [...sixteen, bind('d0', '/again'), bind('file', '/file')] }),
  );
});

test('a directory that cannot be made leaves no record', async () => {
  const engine = testEngine();
  mkdirSync(engine.layout.home, { recursive: true });
  writeFileSync(engine.layout.boxesDir, 'in the way');
  await expect(createBox(engine, createOptions())).rejects.toThrow();
  expect(await readBoxes(engine.layout)).toEqual([]);
});

test('a state directory with a long path is refused before anything is made', async () => {
  const engine = testEngine();
  const boxesDir = join(engine.layout.home, 'x'.repeat(100));
  const long = { ...engine, layout: { ...engine.layout, boxesDir } };
  await expect(createBox(long, createOptions())).rejects.toMatchObject({ code: 'invalid_config' });
  expect(await readBoxes(engine.layout)).toEqual([]);
});

test.each([
  [-1, -1],
  [-7, -1],
  [0, 0],
  [9_999_999_999, 2_147_483],
])('--stop-timeout %d is recorded as %d', async (stopTimeout, recorded) => {
  const engine = testEngine();
  expect(await createBox(engine, createOptions({ stopTimeout }))).toMatchObject({ stop_timeout: recorded });
});

test('a name that is taken costs no bind source', async () => {
  const engine = testEngine();
  await createBox(engine, createOptions({ name: 'web' }));
  const source = join(temporaryDirectory(), 'data');
  const volumes = [bindRequest({ source, target: '/data' })];
  await expect(createBox(engine, createOptions({ name: 'web', volumes }))).rejects.toMatchObject({
    code: 'name_conflict',
  });
  expect(existsSync(source)).toBe(false);
});

test('a bind source that cannot be made leaves no box', async () => {
  const engine = testEngine();
  const volumes = [bindRequest({ source: '/etc/passwd/nosuch', target: '/data' })];
  await expect(createBox(engine, createOptions({ volumes }))).rejects.toThrow(
    "error while creating mount source path '/etc/passwd/nosuch'",
  );
  expect(await readBoxes(engine.layout)).toEqual([]);
});
