import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { machine, seen } from './fixture/machine.ts';
import { processesNaming } from './fixture/processes.ts';
import { readBoxesFile, recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('run');
const HELP = "\n\nRun 'a3s-box run --help' for more information\n";

describe('run', () => {
  test('keeps stdout and stderr apart and returns the status of the workload', async () => {
    const { status, out, err } = await a3s([
      'run',
      '--rm',
      'a3s/base',
      'sh',
      '-c',
      'echo out; echo err >&2; exit 3',
    ]);
    expect({ status, out, err }).toEqual({ status: 3, out: 'out\n', err: 'err\n' });
  });

  test('gives the command and the monitor the flags without which Node may hang when they exit', async () => {
    const name = boxes.name('flags');
    const run = new CliProcess(['run', '--name', name, 'a3s/base', 'sh', '-c', 'echo up; exec sleep 100']);
    await run.says(/up/);
    for (const pid of [run.pid, recordOf(name).pid]) {
      const [, ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      expect(words.slice(0, 2)).toEqual(['--no-concurrent-recompilation', '--no-concurrent-sparkplug']);
    }
    await a3sOk(['kill', name]);
    expect(await run.ended).toMatchObject({ status: 137 });
  });

  test('passes the words after IMAGE on as they are', async () => {
    const words = ['-a', '--rm', '', 'b c', '$HOME', '*', 'ä'];
    const { status, out, err } = await a3s(['run', '--rm', 'a3s/base', 'printf', '%s|', ...words]);
    expect({ status, out, err }).toEqual({ status: 0, out: '-a|--rm||b c|$HOME|*|ä|', err: '' });
  });

  test('takes -- between IMAGE and the command', async () => {
    const { status, out, err } = await a3s(['run', '--rm', 'a3s/base', '--', 'printf', '%s|', '-x', '--']);
    expect({ status, out, err }).toEqual({ status: 0, out: '-x|--|', err: '' });
  });

  test('runs the command of the image when none is given', async () => {
    const { status, out, err } = await a3s(['run', '--rm', '-i', 'a3s/base'], {
      stdin: 'echo from sh; exit 7\n',
    });
    expect({ status, out, err }).toEqual({ status: 7, out: 'from sh\n', err: '' });
  });

  test('hands stdin to the workload with -i, and its end', async () => {
    const { status, out } = await a3s(['run', '--rm', '-i', 'a3s/base', 'cat'], { stdin: 'abc\0\n\u00ff' });
    expect({ status, out }).toEqual({ status: 0, out: 'abc\0\n\u00ff' });
  });

  test('hands no stdin to the workload without -i', async () => {
    const { status, out } = await a3s(['run', '--rm', 'a3s/base', 'cat'], { stdin: 'abc' });
    expect({ status, out }).toEqual({ status: 0, out: '' });
  });

  test('hands over each write while the workload goes on', async () => {
    const run = new CliProcess(['run', '--rm', '-i', 'a3s/base', 'sh', '-c', 'echo one; read x; echo $x']);
    await run.says(/^one\n$/);
    run.child.stdin.end('two\n');
    expect(await run.ended).toMatchObject({ status: 0, out: 'one\ntwo\n', err: '' });
  });

  test('-d prints the whole ID and nothing else', async () => {
    const name = boxes.name('id');
    const { status, out, err } = await a3s(['run', '-d', '--name', name, 'a3s/base', 'sleep', '1000']);
    const record = readBoxesFile().find((box) => box.name === name);
    expect({ status, out, err }).toEqual({ status: 0, out: `${record?.id}\n`, err: '' });
    expect(record?.status).toBe('running');
  });

  test('sends the signals it gets to the workload', async () => {
    const script =
      'trap "echo got; exit 9" INT; trap "echo usr" USR1; echo ready; while :; do sleep 0.1; done';
    const run = new CliProcess(['run', '--rm', 'a3s/base', 'sh', '-c', script]);
    await run.says(/ready\n/);
    run.child.kill('SIGUSR1');
    await run.says(/usr\n/);
    run.child.kill('SIGINT');
    expect(await run.ended).toMatchObject({ status: 9, out: 'ready\nusr\ngot\n', err: '' });
  });

  test.each([[[]], [['--rm']]])(
    'a signal while the VM boots ends the start, and nothing is left (%o)',
    async (flags) => {
      const here = machine();
      const run = here.start(['run', '--name', 'early', ...flags, 'a3s/base', 'echo', 'ran']);
      await until('a VM that boots', () => processesNaming(here.home).some(({ role }) => role === 'vm'));
      run.child.kill('SIGINT');
      expect(seen(await run.ended)).toEqual({
        status: 130,
        out: '',
        err: 'SIGINT came before the box had started\n',
      });
      expect(await here.ok(['ps', '-aq'])).toBe('');
      await until('the end of its processes', () => processesNaming(here.home).length === 0);
      expect(readdirSync(join(here.home, 'boxes'))).toEqual([]);
    },
  );

  test('ends quietly when its reader goes away', async () => {
    const run = new CliProcess(['run', '--rm', 'a3s/base', 'sh', '-c', 'yes | head -c 4000000'], {}, false);
    run.child.stdout.destroy();
    expect(await run.ended).toMatchObject({ status: 141, err: '' });
  });
});

describe('run fails with 125', () => {
  const fails = async (...words: string[]): Promise<{ status: number | null; out: string; err: string }> => {
    const before = readBoxesFile().map(({ id }) => id);
    const { status, out, err } = await a3s(['run', ...words]);
    // An earlier test's box may be on its last steps: only new ones count.
    expect(
      readBoxesFile().filter(({ id }) => !before.includes(id)),
      'no half-made box',
    ).toEqual([]);
    return { status, out, err };
  };

  test('on an unknown flag', async () => {
    expect(await fails('--nosuch', 'a3s/base')).toEqual({
      status: 125,
      out: '',
      err: `unknown flag: --nosuch\n\nUsage:  a3s-box run [OPTIONS] IMAGE [COMMAND] [ARG...]${HELP}`,
    });
  });

  test('on a flag that is not supported, instead of ignoring it', async () => {
    const answer = await fails('--rm', '--mac-address', '52:54:00:00:00:01', 'a3s/base', 'true');
    expect(answer).toEqual({
      status: 125,
      out: '',
      err: '--mac-address is not supported: a box is alone on its network, which has the same addresses for each\n',
    });
  });

  test('on an unknown image, after the line that it is not there', async () => {
    // Nobody listens there.
    const image = '127.0.0.1:1/nosuchimg:1';
    const { status, out, err } = await fails('--rm', image, 'true');
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err).toMatch(
      new RegExp(
        `^Unable to find image '${image}' locally\\na3s-box: Error response from daemon: Get "http://127.0.0.1:1/v2/": .*refused`,
      ),
    );
    expect(err.endsWith(HELP)).toBe(true);
  });

  test('on an unknown image with --pull never', async () => {
    expect(await fails('--pull', 'never', '--rm', 'nosuchimg:1', 'true')).toEqual({
      status: 125,
      out: '',
      err: expect.stringMatching(/^a3s-box: Error response from daemon: No such image: nosuchimg:1\n/),
    });
  });

  test('on a name that is no name', async () => {
    expect(await fails('--name', 'a b', 'a3s/base', 'true')).toEqual({
      status: 125,
      out: '',
      err: `a3s-box: Error response from daemon: Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed${HELP}`,
    });
  });

  test('on a name that is taken', async () => {
    const name = boxes.name('taken');
    const id = await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
    const { status, out, err } = await fails('--name', name, 'a3s/base', 'true');
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err).toContain(
      `a3s-box: Error response from daemon: Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  });

  test.each([['63m'], ['1024'], ['nonsense']])('on the memory size %s', async (size) => {
    const { status, out, err } = await fails('--rm', '--memory', size, 'a3s/base', 'true');
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err).toMatch(size === 'nonsense' ? /nonsense/ : /64/);
  });

  test('on a user that the image does not know', async () => {
    const { status, out, err } = await fails('--rm', '-u', 'nosuch', 'a3s/base', 'true');
    expect(err).toContain('unable to find user nosuch: no matching entries in passwd file');
    expect({ status, out }).toEqual({ status: 125, out: '' });
  });
});
