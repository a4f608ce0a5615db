import { describe, expect, test } from 'vitest';

import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { seen } from './fixture/machine.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('logs');
const STAMP = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}Z';

describe('logs', () => {
  test('keeps stdout and stderr apart, also after the end', async () => {
    const name = boxes.name('apart');
    await a3s(['run', '--name', name, 'a3s/base', 'sh', '-c', 'echo out; echo err >&2; printf end']);
    expect(await a3s(['logs', name])).toMatchObject({ status: 0, out: 'out\nend', err: 'err\n' });
  });

  test('-t shows the time of each line, --tail the last ones', async () => {
    const name = boxes.name('tail');
    const began = Date.now();
    await a3s(['run', '--name', name, 'a3s/base', 'seq', '1', '100']);
    const { out } = await a3s(['logs', '-t', '--tail', '2', name]);
    expect(out).toMatch(new RegExp(`^${STAMP} 99\n${STAMP} 100\n$`));
    const written = Date.parse(out.slice(0, 30));
    expect(written).toBeGreaterThanOrEqual(began);
    expect(written).toBeLessThanOrEqual(Date.now());
    expect(await a3sOk(['logs', '-n', '1', name])).toBe('100');
    expect((await a3sOk(['logs', name])).split('\n')).toHaveLength(100);
  });

  test('--since and --until cut by time', async () => {
    const name = boxes.name('since');
    // A monitor that is held up would see both lines at once otherwise.
    const script = 'echo one; until test -e /go; do sleep 0.1; done; echo two';
    await a3sOk(['run', '-d', '--name', name, 'a3s/base', 'sh', '-c', script]);
    await until('the first line', async () => (await a3sOk(['logs', name])) === 'one');
    await a3sOk(['exec', '-d', name, 'touch', '/go']);
    expect(await a3sOk(['wait', name])).toBe('0');
    const [first = '', second = ''] = (await a3sOk(['logs', '-t', name]))
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '');
    expect(await a3sOk(['logs', '--since', second, name])).toBe('two');
    expect(await a3sOk(['logs', '--until', first, name])).toBe('one');
    expect(await a3sOk(['logs', '--since', '10m', name])).toBe('one\ntwo');
  });

  test('of every start of a box follow each other', async () => {
    const name = boxes.name('again');
    await a3s(['run', '--name', name, 'a3s/base', 'echo', 'run']);
    await a3s(['start', '-a', name]);
    expect(await a3sOk(['logs', name])).toBe('run\nrun');
  });

  test('hold what the workload wrote, not the console of the kernel', async () => {
    const name = boxes.name('console');
    await a3s(['run', '--name', name, 'a3s/base', 'true']);
    expect(await a3s(['logs', name])).toMatchObject({ status: 0, out: '', err: '' });
  });

  test('of a box that is not there fails', async () => {
    const err = 'Error response from daemon: No such container: nosuch\n';
    expect(await a3s(['logs', 'nosuch'])).toMatchObject({ status: 1, out: '', err });
  });
});

describe('logs -f', () => {
  test('shows a line within 200 ms of its writing, and ends when the box stops', async () => {
    // A line for each line it is fed; `-t` tells when the line was written, on the clock of this machine.
    const script = 'mkfifo /tmp/in; exec 3<>/tmp/in; echo ready; exec cat <&3';
    const name = await boxes.detached('follow', ['a3s/base', 'sh', '-c', script]);
    const follow = new CliProcess(['logs', '-f', '-t', name]);
    await follow.says(/ ready\n/);
    const delays: number[] = [];
    follow.child.stdout.on('data', (chunk: Buffer) => {
      const now = Date.now();
      for (const line of chunk.toString().split('\n').filter(Boolean))
        delays.push(now - Date.parse(line.slice(0, 30)));
    });
    for (let n = 1; n <= 8; n += 1) {
      await a3sOk(['exec', name, 'sh', '-c', `echo line ${n} > /tmp/in`]);
      await follow.says(new RegExp(` line ${n}\n`));
    }
    expect(delays).toHaveLength(8);
    expect(Math.max(...delays)).toBeLessThan(200);
    await a3sOk(['stop', '-t', '0', name]);
    expect(await follow.ended).toMatchObject({ status: 0, err: '' });
  });

  test('of a box that has ended prints everything and ends', async () => {
    const name = boxes.name('ended');
    await a3s(['run', '--name', name, 'a3s/base', 'echo', 'done']);
    expect(await a3s(['logs', '-f', name])).toMatchObject({ status: 0, out: 'done\n', err: '' });
  });
});

describe('log drivers', () => {
  const numbers = (from: number, to: number): string =>
    Array.from({ length: to - from + 1 }, (_, n) => `${from + n}\n`).join('');

  test('json-file begins a new file when one is full; two followers and a later reader miss nothing of either stream', async () => {
    const flags = ['--log-opt', 'max-size=200k', '--log-opt', 'max-file=100'];
    // Both streams at once, then a last line of stdout; what stderr wrote last may be read after it.
    const script = 'seq 1 30000 & seq 30001 50000 >&2; wait; echo end';
    const name = await boxes.detached('rotated', [...flags, 'a3s/base', 'sh', '-c', script]);
    const expected = { status: 0, out: `${numbers(1, 30_000)}end\n`, err: numbers(30_001, 50_000) };
    const followers = [1, 2].map(() => a3s(['logs', '-f', name]));
    for (const follower of followers) expect(seen(await follower)).toEqual(expected);
    expect(seen(await a3s(['logs', name]))).toEqual(expected);
    const stamped = await a3s(['logs', '-t', name]);
    for (const text of [stamped.out, stamped.err]) {
      const times = text
        .split('\n')
        .map((line) => line.slice(0, 30))
        .slice(0, -1);
      expect(times).toEqual(times.toSorted());
    }
    const last = await a3s(['logs', '-n', '1', name]);
    expect(['end\n', '50000\n']).toContain(last.out + last.err);
  });

  test('json-file keeps no more than it was told', async () => {
    const name = boxes.name('bounded');
    const flags = ['--log-opt', 'max-size=50k', '--log-opt', 'max-file=2'];
    await a3sOk(['run', '--name', name, ...flags, 'a3s/base', 'seq', '1', '20000']);
    const kept = (await a3sOk(['logs', name])).split('\n');
    expect(kept.at(-1)).toBe('20000');
    expect(kept.length).toBeLessThan(2000);
    expect(kept.length).toBeGreaterThan(500);
  });

  test('none keeps nothing, shows everything to who is attached, and cannot be read', async () => {
    const name = boxes.name('none');
    expect(await a3sOk(['run', '--name', name, '--log-driver', 'none', 'a3s/base', 'echo', 'hi'])).toBe('hi');
    expect(await a3s(['logs', name])).toMatchObject({
      status: 1,
      out: '',
      err: 'Error response from daemon: configured logging driver does not support reading\n',
    });
  });

  test('--details shows the labels and variables that the options name', async () => {
    const name = boxes.name('details');
    const flags = ['--log-opt', 'labels=tier', '--log-opt', 'env=A', '-l', 'tier=front end', '-e', 'A=1'];
    await a3sOk(['run', '--name', name, ...flags, 'a3s/base', 'echo', 'hi']);
    expect(await a3sOk(['logs', '--details', name])).toBe('A=1,tier=front+end hi');
    expect(await a3sOk(['logs', name])).toBe('hi');
  });
});
