/** Pulls that are killed, and pulls that meet each other or a removal. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { startRegistry, type TestRegistry } from '../fixture/registry/docker-registry.ts';
import { startFaultProxy } from '../fixture/registry/fault-proxy.ts';
import { screenOf } from '../fixture/screen.ts';
import { randomSource } from '../unit/random.ts';
import { machine, machineOfFile } from './fixture/machine.ts';
import { CRASH_IMAGE, crashPull, type SlowProxy, startSlowProxy } from './fixture/pull-crash.ts';
import { files, publish, type Published } from './fixture/remote-images.ts';
import { Terminal, CTRL_C } from './fixture/terminal.ts';
import { until } from './fixture/until.ts';
import { LAUNCHER } from './fixture/cli.ts';

let registry: TestRegistry;
let slow: SlowProxy;
const undisturbed = machineOfFile();
let image: Published;

beforeAll(async () => {
  registry = await startRegistry();
  slow = await startSlowProxy(registry);
  image = await publish(registry.domain, 't/x', '1', CRASH_IMAGE);
});
afterAll(async () => {
  await slow.close();
  await registry.close();
});

describe('kill -9 in the middle of a pull: the next one finishes it', () => {
  const random = randomSource(1);
  const moments = Array.from({ length: 8 }, () => 0.05 + random() * 0.9);
  let whole: number;
  beforeAll(async () => {
    const before = slow.passed();
    await undisturbed.ok(['pull', '-q', `${slow.domain}/t/x:1`]);
    whole = slow.passed() - before;
  });

  test.each(moments)('at %f of its bytes', async (share) => {
    expect(await crashPull(machine(), `${slow.domain}/t/x:1`, image, slow.after(share * whole))).toBe(true);
  });

  // Layers are unpacked and the image is made then; a quick machine has done so by the last of these moments.
  test.each([0, 40, 120, 300])('%i ms after nearly all of them', async (delayMs) => {
    const last = slow.after(0.99 * whole);
    const reached = last.reached.then(() => {
      last.past();
      return new Promise((resolve) => setTimeout(resolve, delayMs));
    });
    await crashPull(machine(), `${slow.domain}/t/x:1`, image, { ...last, reached });
  });
});

test('Ctrl-C ends a pull at once; the next one goes on where it was', async () => {
  const here = machine();
  const name = `${slow.domain}/t/x:1`;
  const terminal = await Terminal.open(`A3S_HOME=${here.home} ${LAUNCHER} pull ${name}`, {
    rows: 24,
    cols: 100,
  });
  onTestFinished(() => terminal.close());
  await terminal.shows(/Downloading/);
  await until('the first bytes', () => here.files('ingest').length > 0);
  terminal.type(CTRL_C);
  const { status } = await terminal.ended();
  expect(status).toBe(130);
  expect(here.index()).toBe('');
  await here.ok(['pull', name]);
  expect(here.blobs()).toEqual(expect.arrayContaining([image.digest, image.id, ...image.layers]));
});

test('on a terminal bars are drawn in place, narrower than it, and the last state stays', async () => {
  const here = machine();
  const name = `${slow.domain}/t/x:1`;
  const columns = 90;
  const line = `A3S_HOME=${here.home} ${LAUNCHER} pull ${name}`;
  const terminal = await Terminal.open(line, { rows: 24, cols: columns });
  onTestFinished(() => terminal.close());
  const { status, screen } = await terminal.ended();
  expect(status).toBe(0);
  expect(screen).toMatch(/[0-9a-f]{12}: Downloading \[=*>? *\] {2}[\d.]+k?B\/[\d.]+kB/);
  // Throws for a line that wraps.
  expect(screenOf(screen, columns)).toEqual([
    '1: Pulling from t/x',
    ...image.layers.map(
      (digest) => `${digest.slice('sha256:'.length, 'sha256:'.length + 12)}: Pull complete`,
    ),
    `Digest: ${image.digest}`,
    `Status: Downloaded newer image for ${name}`,
    name,
    '',
  ]);
});

test('six pulls of one image at once download each blob once', async () => {
  const proxy = await startFaultProxy(registry);
  onTestFinished(() => proxy.close());
  const here = machine();
  const name = `${proxy.domain}/t/x:1`;
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => here.a3s(['pull', '-q', name])));
  expect(outcomes.map(({ status, out, err }) => ({ status, out, err }))).toEqual(
    Array.from({ length: 6 }, () => ({ status: 0, out: `${name}\n`, err: '' })),
  );
  const blobs = proxy.seen.filter((line) => line.includes('/blobs/')).toSorted();
  const expected = [image.id, ...image.layers].map((digest) => `GET /v2/t/x/blobs/${digest}`);
  expect(blobs).toEqual(expected.toSorted());
  expect(here.blobs()).toEqual([image.digest, image.id, ...image.layers].toSorted());
  expect(here.files('leases')).toEqual([]);
});

test('pulls beside removals: an image that is there has all its blobs', async () => {
  const here = machine();
  const shared = files({ shared: 'shared' });
  const one = await publish(registry.domain, 't/race', 'a', { layers: [{ tar: shared }] });
  const two = await publish(registry.domain, 't/race', 'b', {
    layers: [{ tar: shared }, { tar: files({ more: 'more' }) }],
  });
  const [a, b] = [`${registry.domain}/t/race:a`, `${registry.domain}/t/race:b`];
  const rounds = 8;
  const puller = async (name: string): Promise<void> => {
    for (let n = 0; n < rounds; n += 1) await here.ok(['pull', '-q', name]);
  };
  const remover = async (): Promise<void> => {
    for (let n = 0; n < rounds; n += 1) {
      const { err } = await here.a3s(['rmi', '-f', a]);
      expect(err).toMatch(/^$|^Error response from daemon: No such image: /);
      await here.ok(['image', 'prune', '-f']);
    }
  };
  const lister = async (): Promise<void> => {
    for (let n = 0; n < rounds; n += 1) expect((await here.a3s(['images', '-q'])).err).toBe('');
  };
  await Promise.all([puller(a), puller(b), remover(), lister()]);
  await here.ok(['pull', '-q', a]);
  for (const { id, digest, layers } of [one, two]) {
    expect(here.blobs()).toEqual(expect.arrayContaining([id, digest, ...layers]));
  }
  expect(here.files('leases')).toEqual([]);
});
