import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

import { a3s, a3sOk, CliProcess } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { inBatches } from './fixture/batches.ts';
import { postJson } from './fixture/http.ts';
import { recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const EXEC_FAILED = 'OCI runtime exec failed: exec failed: unable to start container process: ';

const boxes = boxesOf('exec');
const box = boxes.shared('box');
const sh = (script: string): string[] => [box, 'sh', '-c', script];

beforeAll(async () => {
  const environment = ['-e', 'A=box', '-e', 'B=box'];
  await a3sOk([
    'run',
    '-d',
    '--name',
    box,
    ...environment,
    '-w',
    '/var/tmp',
    '-u',
    'app',
    'a3s/base',
    'sleep',
    '10000',
  ]);
});

describe('exec', () => {
  test('inherits user, groups, environment and working directory from the box', async () => {
    const out = await a3sOk(['exec', ...sh('id -un; id -G; pwd; echo $A $B; echo $PATH')]);
    expect(out).toBe(
      'app\n1000\n/var/tmp\nbox box\n/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    );
  });

  test('-e and --env-file add to the environment, the last one wins', async () => {
    const directory = mkdtempSync('/tmp/a3s-exec-');
    try {
      const file = join(directory, 'env');
      writeFileSync(file, '# a comment\nB=file\nC=from file\nFROM_HOST\n');
      const words = ['exec', '-e', 'D=a=b c', '--env-file', file, ...sh('echo "$A|$B|$C|$D|$FROM_HOST"')];
      expect(await a3sOk(words, { env: { FROM_HOST: 'host' } })).toBe('box|file|from file|a=b c|host');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test.each([
    ['root', '0 0'],
    ['0', '0 0'],
    ['1000:33', '1000 33'],
    ['app:www-data', '1000 33'],
    ['4242', '4242 0'],
  ])('-u %s', async (user, ids) => {
    expect(await a3sOk(['exec', '-u', user, ...sh('echo $(id -u) $(id -g)')])).toBe(ids);
  });

  test('-u with an unknown user fails with 126', async () => {
    expect(await a3s(['exec', '-u', 'nosuch', box, 'true'])).toMatchObject({
      status: 126,
      out: 'unable to find user nosuch: no matching entries in passwd file\r\n',
      err: '',
    });
  });

  test('-w sets the working directory', async () => {
    expect(await a3sOk(['exec', '-w', '/etc', box, 'pwd'])).toBe('/etc');
  });

  test('-w with a directory that is not there fails with 127', async () => {
    expect(await a3s(['exec', '-w', '/nosuch', box, 'pwd'])).toMatchObject({
      status: 127,
      out: `${EXEC_FAILED}chdir to cwd ("/nosuch") set in config.json failed: no such file or directory\r\n`,
      err: '',
    });
  });

  test('-i hands stdin over, without it there is none', async () => {
    const script = 'cat; exit 4';
    expect(await a3s(['exec', '-i', ...sh(script)], { stdin: 'abc\n' })).toMatchObject({
      status: 4,
      out: 'abc\n',
    });
    expect(await a3s(['exec', ...sh(script)], { stdin: 'abc\n' })).toMatchObject({ status: 4, out: '' });
  });

  test('-d returns at once while the command goes on', async () => {
    const script = 'until test -e /tmp/go; do sleep 0.1; done; touch /tmp/detached';
    expect(await a3s(['exec', '-d', ...sh(script)])).toMatchObject({ status: 0, out: '', err: '' });
    await a3sOk(['exec', ...sh('test ! -e /tmp/detached; touch /tmp/go')]);
    await until('the file of the detached command', async () => {
      return (await a3s(['exec', box, 'test', '-e', '/tmp/detached'])).status === 0;
    });
  });

  test('-d throws the output of the command away, however much it is', async () => {
    const script = 'head -c 8388608 /dev/zero; touch /tmp/written';
    expect(await a3s(['exec', '-d', ...sh(script)])).toMatchObject({ status: 0, out: '', err: '' });
    await until('the end of the detached command', async () => {
      return (await a3s(['exec', box, 'test', '-e', '/tmp/written'])).status === 0;
    });
  });

  test('goes on in the box when its client is killed', async () => {
    const exec = new CliProcess(['exec', ...sh('echo ready; sleep 1; touch /tmp/outlived')]);
    await exec.says(/ready/);
    exec.child.kill('SIGKILL');
    expect(await exec.ended).toMatchObject({ signal: 'SIGKILL' });
    await until('the file of the orphaned command', async () => {
      return (await a3s(['exec', box, 'test', '-e', '/tmp/outlived'])).status === 0;
    });
  });

  test('-d reports a command that cannot be started', async () => {
    const { status, err } = await a3s(['exec', '-d', box, 'nosuch']);
    expect(status).toBe(1);
    expect(err).toBe(
      `Error response from daemon: ${EXEC_FAILED}exec: "nosuch": executable file not found in $PATH\n`,
    );
  });

  test('--timeout kills the command and all it started, and exits 124', async () => {
    const started = await a3s(['exec', '--timeout', '1', ...sh('echo begun; sleep 4321 & sleep 4321')]);
    expect(started).toMatchObject({ status: 124, out: 'begun\n' });
    expect(started.ms).toBeGreaterThanOrEqual(1000);
    expect(started.ms).toBeLessThan(30_000);
    await until('the end of what it started', async () => {
      return !(await a3sOk(['exec', box, 'ps', '-o', 'args'])).includes('4321');
    });
  });

  test('has no time limit of its own', async () => {
    // The plain form's default is 5 s.
    expect(await a3sOk(['exec', ...sh('sleep 6; echo done')])).toBe('done');
  });

  test('runs many at once', async () => {
    const numbers = Array.from({ length: 24 }, (_, n) => String(n));
    const outs = await inBatches(numbers, 12, (n) => a3sOk(['exec', ...sh(`sleep 0.2; echo ${n}`)]));
    expect(outs).toEqual(numbers);
  });

  test('sees the box as its workload does, and is seen by it', async () => {
    const exec = new CliProcess(['exec', ...sh('echo ready; exec sleep 1234')]);
    await exec.says(/ready/);
    const list = (): Promise<string> => a3sOk(['exec', box, 'ps', '-o', 'pid,args']);
    expect(await list()).toMatch(/^ +1 sleep 10000$/m);
    const pid = async (): Promise<string | undefined> => /^ *(\d+) sleep 1234$/m.exec(await list())?.[1];
    await a3sOk(['exec', box, 'kill', await until('the sleeper', pid)]);
    expect(await exec.ended).toMatchObject({ status: 143 });
  });

  test('in a stopped box is refused', async () => {
    const stopped = boxes.name('stopped');
    const id = await a3sOk(['run', '-d', '--name', stopped, 'a3s/base', 'true']);
    await until('the end of the box', () => recordOf(stopped).status === 'stopped');
    const { status, out, err } = await a3s(['exec', stopped, 'ls']);
    expect({ status, out, err }).toEqual({
      status: 1,
      out: '',
      err: `Error response from daemon: container ${id} is not running\n`,
    });
  });

  test('in a box that is not there is refused', async () => {
    const { status, out, err } = await a3s(['exec', 'nosuch', 'ls']);
    expect({ status, out, err }).toEqual({
      status: 1,
      out: '',
      err: 'Error response from daemon: No such container: nosuch\n',
    });
  });
});

describe('the sockets of a box', () => {
  test('exec.sock runs a command: POST /exec', async () => {
    const body = {
      cmd: ['sh', '-c', 'cat; echo err >&2; exit 3'],
      stdin: Buffer.from('in\0').toString('base64'),
    };
    const answer = await postJson(recordOf(box).exec_socket_path, '/exec', body);
    expect(answer).toEqual({
      status: 200,
      body: {
        stdout: Buffer.from('in\0').toString('base64'),
        stderr: Buffer.from('err\n').toString('base64'),
        exit_code: 3,
        truncated: false,
      },
    });
  });

  test('exec.sock refuses what it does not know', async () => {
    const answer = await postJson(recordOf(box).exec_socket_path, '/exec', { cmd: ['true'], nosuch: 1 });
    expect(answer).toEqual({ status: 400, body: { error: expect.stringContaining('nosuch') } });
  });

  test('agent.sock tells its health: GET /healthz', async () => {
    const answer = await postJson(recordOf(box).socket_path, '/healthz');
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok', protocol: 1 } });
  });
});
