import { statSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';

import { boxPaths } from '../../src/state/layout.ts';
import { boxesOf } from '../e2e/fixture/boxes.ts';
import { CliProcess, a3s, a3sOk } from '../e2e/fixture/cli.ts';
import { readBoxesFile, recordOf } from '../e2e/fixture/records.ts';
import { until } from '../e2e/fixture/until.ts';
import { MEMORY_BOUND_MIB, hostileGuest, killGuest, type Report } from './fixture/hostile.ts';

const boxes = boxesOf('flood');
const neighbour = boxes.shared('neighbour');
const MIB = 1024 * 1024;
/** Both processors are at it. */
const FLOOD_MS = 100_000;
/** How long a command waits for a monitor that does not do as it is told. */
const GIVEN_UP_MS = 20_000;

/** `run -d` with a guest that does this. */
async function start(behaviour: string): Promise<{ name: string; report: () => Report }> {
  const name = boxes.name(behaviour);
  const { options, report } = hostileGuest(behaviour);
  await a3sOk(['run', '-d', '--name', name, 'a3s/base', 'true'], options);
  return { name, report };
}

async function neighbourIsWell(): Promise<void> {
  expect(await a3s(['exec', neighbour, 'echo', 'well'])).toMatchObject({ status: 0, out: 'well\n', err: '' });
  expect(readBoxesFile().find((box) => box.name === neighbour)?.status).toBe('running');
}

const boundedMemory = (report: Report): void => expect(report.peakKib / 1024).toBeLessThan(MEMORY_BOUND_MIB);

beforeAll(async () => {
  await a3sOk(['run', '-d', '--name', neighbour, 'a3s/base', 'sleep', '10000']);
});

describe('a flood that the protocol allows costs its monitor no memory, and nobody else anything', () => {
  test.each([
    ['ping-flood', 16 * MIB],
    ['ping-flood-deaf', 16 * MIB],
    ['empty-frame-flood', 16 * MIB],
    ['log-flood', 64 * MIB],
    // All but the last byte of one message, each byte in a frame of its own.
    ['half-message', 13 * MIB],
  ])('%s', async (behaviour, enough) => {
    const { name, report } = await start(behaviour);
    await until(`${enough} bytes of ${behaviour}`, () => report().sent >= enough, FLOOD_MS);
    await neighbourIsWell();
    boundedMemory(report());
    expect(recordOf(name)).toMatchObject({ status: 'running', error: '' });
    const log = statSync(boxPaths(recordOf(name).box_dir).monitorLog, { throwIfNoEntry: false });
    expect(log?.size ?? 0).toBeLessThan(2 * MIB);
    killGuest(name);
    await until('the end of the box', () => recordOf(name).status === 'dead');
  });

  test('data for a stream that is closed', async () => {
    const { name, report } = await start('closed-stream-flood');
    const { status, err } = await a3s(['exec', name, 'true']);
    expect({ status, err }).toEqual({ status: 1, err: 'the box ended before it answered\n' });
    await until('256 MiB on the closed stream', () => report().sent >= 256 * MIB, FLOOD_MS);
    await neighbourIsWell();
    boundedMemory(report());
    expect(recordOf(name).status).toBe('running');
    killGuest(name);
  });

  test('words of QEMU without end', async () => {
    const { name, report } = await start('stderr-flood');
    const before = report().peakKib;
    await neighbourIsWell();
    expect(before).toBeGreaterThan(0);
    boundedMemory(report());
    killGuest(name);
    await until('the end of the box', () => recordOf(name).status === 'dead');
    expect(recordOf(name).error.length).toBeLessThan(5000);
  });
});

describe('output beyond the window', () => {
  test.each(['output-flood', 'newline-flood'])(
    '%s ends the box, even while its reader stalls',
    async (behaviour) => {
      const name = boxes.name(behaviour);
      const { options, report } = hostileGuest(behaviour);
      const run = new CliProcess(['run', '--name', name, 'a3s/base', 'true'], options, false);
      await until('the end of the box', () =>
        readBoxesFile().some((box) => box.name === name && box.status === 'dead'),
      );
      boundedMemory(report());
      expect(recordOf(name)).toMatchObject({ error: 'stream 1 overran its window', exit_code: 137 });
      await neighbourIsWell();
      run.read();
      expect(await run.ended).toMatchObject({ status: 137 });
    },
  );
});

test('rm -f ends a guest that ignores everything', async () => {
  const { name } = await start('ping-flood-deaf');
  const { status, out, err, ms } = await a3s(['rm', '-f', name]);
  expect({ status, out, err }).toEqual({ status: 0, out: `${name}\n`, err: '' });
  expect(ms).toBeLessThan(GIVEN_UP_MS);
  expect(readBoxesFile().map((box) => box.name)).not.toContain(name);
});
