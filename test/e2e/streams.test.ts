import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';

const SIZE = 64 * 1024 * 1024;
const DIGEST = 64;
/** What a stream of the guest channel takes without a reader: more is on its way by then. */
const WINDOW = 256 * 1024;

const boxes = boxesOf('streams');

/**
 * Writes 64 MiB to each of stdout and stderr, both at once, and after each the SHA-256 that the box itself has made of what
 * it wrote there: 16 numbered blocks of the same random bytes, because an emulated box makes few random bytes a second.
 */
const BLOCKS = 16;
const BOTH = `
for stream in out err; do
  head -c ${SIZE / BLOCKS - 8} /dev/urandom > /tmp/random || exit 1
  for i in $(seq ${BLOCKS}); do printf %08d $i; cat /tmp/random; done > /tmp/$stream || exit 1
done
(cat /tmp/out; sha256sum < /tmp/out | head -c ${DIGEST}) &
(cat /tmp/err; sha256sum < /tmp/err | head -c ${DIGEST}) >&2
wait; exit 5`;

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function expectWhole(stream: Buffer): void {
  expect(stream).toHaveLength(SIZE + DIGEST);
  expect(sha256(stream.subarray(0, SIZE))).toBe(stream.subarray(SIZE).toString());
}

describe('64 MiB of binary data', () => {
  const box = boxes.shared('exec');
  beforeAll(async () => {
    await a3sOk(['run', '-d', '--name', box, 'a3s/base', 'sleep', '10000']);
  });

  test('on each of stdout and stderr arrive whole and apart through run', async () => {
    const { status, stdout, stderr } = await a3s(['run', '--rm', 'a3s/base', 'sh', '-c', BOTH]);
    expect(status).toBe(5);
    expectWhole(stdout);
    expectWhole(stderr);
    expect(stdout.equals(stderr)).toBe(false);
  });

  test('on each of stdout and stderr arrive whole and apart through exec', async () => {
    const { status, stdout, stderr } = await a3s(['exec', box, 'sh', '-c', BOTH]);
    expect(status).toBe(5);
    expectWhole(stdout);
    expectWhole(stderr);
  });

  test('arrive on stdin through run', async () => {
    const stdin = randomBytes(SIZE);
    const { status, out, err } = await a3s(['run', '--rm', '-i', 'a3s/base', 'sha256sum'], { stdin });
    expect({ status, out, err }).toEqual({ status: 0, out: `${sha256(stdin)}  -\n`, err: '' });
  });

  test('arrive on stdin through exec and come back', async () => {
    const stdin = randomBytes(SIZE);
    const { status, stdout, err } = await a3s(['exec', '-i', box, 'cat'], { stdin });
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(stdout.equals(stdin)).toBe(true);
  });
});

describe('a reader that stalls', () => {
  const box = boxes.shared('stalled');
  let stalled: CliProcess;
  beforeAll(async () => {
    await a3sOk(['run', '-d', '--name', box, 'a3s/base', 'sleep', '10000']);
    const flood = 'echo $$ > /tmp/flood; exec cat /dev/zero';
    stalled = new CliProcess(['exec', box, 'sh', '-c', flood], { deadlineMs: 300_000 }, false);
    // Until the pipe to the stalled reader and everything behind it is full: what `cat` has written stands still.
    const written =
      'p=$(cat /tmp/flood) && a=$(grep wchar /proc/$p/io) && sleep 0.3 && b=$(grep wchar /proc/$p/io)';
    const full = `until ${written} && [ "$a" = "$b" ] && [ \${b#wchar: } -gt ${WINDOW} ]; do sleep 0.1; done`;
    await a3sOk(['exec', box, 'sh', '-c', full]);
  });
  afterAll(() => stalled.child.kill('SIGKILL'));

  test('does not stall another exec in its box', async () => {
    expect(await a3sOk(['exec', box, 'echo', 'still', 'here'])).toBe('still here');
    const { status, stdout } = await a3s(['exec', box, 'head', '-c', '8000000', '/dev/zero']);
    expect({ status, length: stdout.length }).toEqual({ status: 0, length: 8_000_000 });
  });

  test('gets everything once it reads again', async () => {
    await a3sOk(['exec', box, 'sh', '-c', 'kill -TERM $(cat /tmp/flood)']);
    stalled.read();
    const { status, stdout } = await stalled.ended;
    expect(status).toBe(143);
    expect(stdout.length).toBeGreaterThan(WINDOW);
    expect(stdout.every((byte) => byte === 0)).toBe(true);
  });
});
