import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';

import { fitsWarmBox, takeWarmBox } from '../../../../src/engine/pool/take.ts';
import type { CreateOptions } from '../../../../src/engine/types.ts';
import { parseVolume } from '../../../../src/engine/volumes/parse-volume.ts';
import { fitnessOf } from '../../../../src/runtime/warm/fitness.ts';
import { TAKEN } from '../../../../src/runtime/warm/taken.ts';
import { boxDirectory, boxPaths } from '../../../../src/state/layout.ts';
import { makeOffer, offersFor } from '../../../../src/state/warm-boxes.ts';
import { createOptions, testEngine, type TestEngine } from '../fixture/engine.ts';

const ID = '3e54fbf999f5';
const ROOTFS = { path: '/rootfs.squashfs', digest: 'sha256:1' };

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const fitness = (engine: TestEngine): string =>
  fitnessOf({ cpus: 2, memoryMb: 512, rootfs: ROOTFS.digest }, engine.bundleDir);

/** Offers a box whose monitor does `answer` with each connection. */
async function offer(engine: TestEngine, answer: (socket: Socket) => void, shortId = ID): Promise<void> {
  const { warmSocket } = boxPaths(boxDirectory(engine.layout, shortId));
  mkdirSync(dirname(warmSocket), { recursive: true });
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(warmSocket, resolve));
  makeOffer(engine.layout, { shortId, fitness: fitness(engine) });
}

const take = (engine: TestEngine, options: Partial<CreateOptions> = {}) =>
  takeWarmBox(engine, createOptions(options), [], ROOTFS);

describe('a box that is offered', () => {
  test('is taken with the rest of its identity drawn', async () => {
    const engine = testEngine();
    await offer(engine, (socket) => socket.write(TAKEN));
    const box = await take(engine);
    expect(box?.id.shortId).toBe(ID);
    expect(box?.id.id).toMatch(/^3e54fbf9-99f5-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    box?.monitor.destroy();
  });

  test('goes to one of several that ask at once', async () => {
    const engine = testEngine();
    let given = false;
    await offer(engine, (socket) => {
      if (given) socket.destroy();
      else socket.write(TAKEN);
      given = true;
    });
    const boxes = await Promise.all([take(engine), take(engine), take(engine)]);
    expect(boxes.filter((box) => box !== null)).toHaveLength(1);
    for (const box of boxes) box?.monitor.destroy();
  });

  test('is passed over for the next one when it is gone, and not offered again', async () => {
    const engine = testEngine();
    makeOffer(engine.layout, { shortId: '0123456789ab', fitness: fitness(engine) });
    await offer(engine, (socket) => socket.write(TAKEN));
    for (let n = 0; n < 20; n += 1) {
      const box = await take(engine);
      expect(box?.id.shortId).toBe(ID);
      box?.monitor.destroy();
      if (offersFor(engine.layout, fitness(engine)).length === 1) break;
    }
    expect(offersFor(engine.layout, fitness(engine))).toEqual([ID]);
  });

  test.each([
    ['says something else', (socket: Socket) => void socket.write('token\n')],
    ['hangs up', (socket: Socket) => void socket.destroy()],
    ['says nothing', () => {}],
  ])('is none when its monitor %s', async (_what, answer) => {
    const engine = testEngine();
    const sockets: Socket[] = [];
    await offer(engine, (socket) => {
      sockets.push(socket);
      answer(socket);
    });
    expect(await take(engine)).toBeNull();
    for (const socket of sockets) socket.destroy();
  });

  test.each([{ cpus: 1 }, { cpus: 3 }, { memoryBytes: 2 ** 28 }])(
    'is none for another machine: %o',
    async (options) => {
      const engine = testEngine();
      await offer(engine, (socket) => socket.write(TAKEN));
      expect(await take(engine, options)).toBeNull();
    },
  );

  test('is as good for a part of its CPUs', async () => {
    const engine = testEngine();
    await offer(engine, (socket) => socket.write(TAKEN));
    const box = await take(engine, { cpus: 1.5 });
    expect(box?.id.shortId).toBe(ID);
    box?.monitor.destroy();
  });
});

test('where there is no pool there is no box', async () => {
  expect(await take(testEngine())).toBeNull();
});

describe('a warm box fits', () => {
  const port = { host_ip: '127.0.0.1', host_port: 0, guest_port: 80, protocol: 'tcp' } as const;
  test.each<[string, Partial<CreateOptions>, boolean]>([
    ['what asks for nothing', {}, true],
    ['a name, labels, variables', { name: 'a', labels: { a: 'b' }, env: ['A=b'] }, true],
    [
      'a terminal and a tmpfs',
      { tty: true, tmpfs: [{ target: '/t', options: '', from_mount: false }] },
      true,
    ],
    ['a name on the network', { hostname: 'other' }, false],
    ['a port', { ports: [port] }, false],
    ['every exposed port', { publishAll: true }, false],
    ['no network', { network: 'none' }, false],
  ])('%s', (_what, options, fits) => {
    expect(fitsWarmBox(createOptions(options), [])).toBe(fits);
  });

  test.each([
    ['/etc:/etc', 'bind'],
    ['data:/data', 'volume'],
    // As a VOLUME of the image, too.
    ['/data', 'volume'],
  ])('not what mounts %s', (text, type) => {
    const mount = parseVolume(text);
    expect(mount.type).toBe(type);
    expect(fitsWarmBox(createOptions(), [mount])).toBe(false);
  });
});
