import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../temporary.ts';
import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { inBatches } from './fixture/batches.ts';
import { home } from './fixture/home.ts';
import { spansOf } from './fixture/spans.ts';
import { warmTemplateHashes } from './fixture/warm-templates.ts';

const boxes = boxesOf('clones');

/** Host's wall clock in ms, finer than Date.now(). */
const now = (): number => performance.timeOrigin + performance.now();

describe('clones of one template', () => {
  test('differ in random bytes, host name, machine ID and boot ID', async () => {
    const script = [
      'head -c 32 /dev/urandom | sha256sum',
      'hostname',
      'cat /etc/machine-id',
      'cat /proc/sys/kernel/random/uuid',
      'mktemp -u XXXXXXXXXXXX',
    ].join(';');
    const facts = await inBatches([1, 2, 3, 4, 5, 6], 2, async () => {
      return (await a3sOk(['run', '--rm', 'a3s/base', 'sh', '-c', script])).split('\n');
    });
    for (const [index] of script.split(';').entries()) {
      expect(new Set(facts.map((fact) => fact[index])).size).toBe(facts.length);
    }
    for (const [, host, machine] of facts) {
      expect(machine).toMatch(/^[0-9a-f]{32}$/);
      expect(machine?.slice(0, 12)).toBe(host);
    }
  });

  test('keep their machine ID over stop and start', async () => {
    const name = await boxes.detached('id', ['a3s/base', 'sleep', '1000']);
    const identity = ['exec', name, 'sh', '-c', 'cat /etc/machine-id; hostname'];
    const first = await a3sOk(identity);
    await a3sOk(['stop', '-t', '0', name]);
    const directory = temporaryDirectory();
    const traced = (file: string) => ({ env: { A3S_BOX_TRACE: join(directory, file) } });
    await a3sOk(['start', name], traced('start.json'));
    expect(await a3sOk(identity, traced('exec.json'))).toBe(first);
    // Of the processes that were there before nothing.
    expect(spansOf(join(directory, 'exec.json'))).toEqual([
      [
        'command: program loaded',
        'command: waited for the start',
        'command: waited for the result',
        'command: its work, and its output',
      ],
    ]);
    expect(spansOf(join(directory, 'start.json'))).toEqual([
      [
        'command: Node and the first code',
        'command: monitor spawned',
        'command: program loaded',
        'command: box handed to its monitor',
        'command: waited for the start',
        'command: its work, and its output',
      ],
      [
        'monitor: template, disk and QEMU',
        'monitor: Node and the program',
        'monitor: request taken',
        'guest: restored until its agent answers',
        'guest: workload started',
      ],
    ]);
  });

  test('have the wall clock of the host within 50 ms, at once and later', async () => {
    // The box answers each line with its time: it lies between the sending of the line and the answer's arrival.
    const script = 'while read x; do echo | ts %.s; done';
    const run = new CliProcess(['run', '--rm', '-i', 'a3s/base', 'sh', '-c', script]);
    const errors: number[] = [];
    for (let n = 0; n < 10; n += 1) {
      const sent = now();
      run.child.stdin.write('\n');
      await run.says(new RegExp(`^([\\d.]+ *\n){${n + 1}}`));
      const arrived = now();
      const time = Number(run.out.trimEnd().split('\n').at(-1)) * 1000;
      errors.push(Math.max(sent - time, time - arrived, 0));
    }
    run.child.stdin.end();
    expect(await run.ended).toMatchObject({ status: 0 });
    expect(Math.max(...errors)).toBeLessThan(50);
  });

  test('are started before their monitor is loaded, and once', async () => {
    await warmTemplateHashes(home());
    const cwd = temporaryDirectory();
    // The monitor runs in another directory than the command.
    await a3sOk(['run', '--rm', 'a3s/base', 'true'], { cwd, env: { A3S_BOX_TRACE: 'run.json' } });
    expect(spansOf(join(cwd, 'run.json'))).toEqual([
      [
        'command: Node and the first code',
        'command: monitor spawned',
        'command: program loaded',
        'command: record written',
        'command: box handed to its monitor',
        'command: waited for the start',
        'command: waited for the result',
        'command: its work, and its output',
      ],
      [
        'monitor: template, disk and QEMU',
        'monitor: Node and the program',
        'monitor: request taken',
        'guest: restored until its agent answers',
        'guest: workload started',
        'guest: workload',
        'monitor: VM ended and record settled',
      ],
    ]);
  });

  test('run as ever when their trace cannot be written', async () => {
    const words = ['run', '--rm', 'a3s/base', 'sh', '-c', 'echo out; exit 3'];
    const { status, out, err } = await a3s(words, { env: { A3S_BOX_TRACE: '/dev/full' } });
    expect({ status, out, err }).toEqual({
      status: 3,
      out: 'out\n',
      err: 'WARNING: no trace: ENOSPC: no space left on device, write\n',
    });
  });

  test('leave the files of the template as they were, after 50 of them', async () => {
    const before = await warmTemplateHashes(home());
    const runs = Array.from({ length: 50 }, (_, n) => n);
    const script = 'head -c 100000 /dev/urandom > /var/f; sync; exit 4';
    const statuses = await inBatches(runs, 2, async () => {
      return (await a3s(['run', '--rm', 'a3s/base', 'sh', '-c', script])).status;
    });
    expect(statuses).toEqual(runs.map(() => 4));
    expect(await warmTemplateHashes(home())).toEqual(before);
  });
});
