import { statSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { a3sOk } from '../e2e/fixture/cli.ts';
import { recordOf } from '../e2e/fixture/records.ts';
import { postExec, rawRequest, type RawAnswer } from './fixture/raw-http.ts';

const boxes = boxesOf('socket');
const box = boxes.shared('box');
const MIB = 1024 * 1024;
const SECOND_NS = 1_000_000_000;

const exec = (body: object | string): Promise<RawAnswer> => postExec(recordOf(box).exec_socket_path, body);
const execRaw = (text: string): Promise<RawAnswer> => rawRequest(recordOf(box).exec_socket_path, text);
const health = (line: string): Promise<RawAnswer> =>
  rawRequest(recordOf(box).socket_path, `${line} HTTP/1.1\r\nHost: box\r\n\r\n`);
const sh = (script: string): string[] => ['sh', '-c', script];
const text = (base64: unknown): string => Buffer.from(String(base64), 'base64').toString();

beforeAll(async () => {
  const words = ['-e', 'COLOUR=red', '-w', '/tmp', 'a3s/base', 'sleep', '10000'];
  await a3sOk(['run', '-d', '--name', box, ...words]);
});

describe('exec.sock: the plain form of POST /exec', () => {
  test('answers stdout, stderr and exit code', async () => {
    const { status, headers, body } = await exec({ cmd: sh('echo out; echo err >&2; exit 3') });
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json' });
    expect(body).toEqual({ stdout: 'b3V0Cg==', stderr: 'ZXJyCg==', exit_code: 3, truncated: false });
  });

  test('takes every field', async () => {
    const { body } = await exec({
      cmd: sh('id -u; pwd; echo $COLOUR $SHAPE; cat'),
      env: ['COLOUR=blue', 'SHAPE=round'],
      working_dir: '/etc',
      user: 'nobody',
      stdin: Buffer.from('in\0put').toString('base64'),
      timeout_ns: 30 * SECOND_NS,
    });
    expect(text(body['stdout'])).toBe('65534\n/etc\nblue round\nin\0put');
    expect(body).toMatchObject({ stderr: '', exit_code: 0, truncated: false });
  });

  test('inherits environment and directory from the box, and has no stdin', async () => {
    const { body } = await exec({ cmd: sh('pwd; echo $COLOUR; cat; echo end') });
    expect(text(body['stdout'])).toBe('/tmp\nred\nend\n');
  });

  test('kills a command after five seconds when no time is given', async () => {
    const began = performance.now();
    const { status, body } = await exec({ cmd: sh('echo begun; sleep 60 & wait') });
    const seconds = (performance.now() - began) / 1000;
    expect(status).toBe(200);
    expect(body).toEqual({
      stdout: Buffer.from('begun\n').toString('base64'),
      stderr: '',
      exit_code: 124,
      truncated: false,
      timed_out: true,
    });
    expect(seconds).toBeGreaterThanOrEqual(5);
    expect(seconds).toBeLessThan(30);
  });

  test('kills it after the time that is given', async () => {
    const { body } = await exec({ cmd: ['sleep', '60'], timeout_ns: SECOND_NS / 5 });
    expect(body).toMatchObject({ exit_code: 124, timed_out: true });
  });

  test('keeps 16 MiB of each stream and says that there was more', async () => {
    const cmd = sh('head -c 16777216 /dev/zero; head -c 16777217 /dev/zero >&2');
    const { body } = await exec({ cmd, timeout_ns: 100 * SECOND_NS });
    const size = (base64: unknown): number => Buffer.from(String(base64), 'base64').length;
    expect({ out: size(body['stdout']), err: size(body['stderr']) }).toEqual({
      out: 16 * MIB,
      err: 16 * MIB,
    });
    expect(body).toMatchObject({ exit_code: 0, truncated: true });
  });

  test('exactly 16 MiB is not truncated', async () => {
    const { body } = await exec({ cmd: sh('head -c 16777216 /dev/zero'), timeout_ns: 100 * SECOND_NS });
    expect(body).toMatchObject({ exit_code: 0, truncated: false });
  });

  test.each([
    [['nosuch'], 127, 'not_found', 'exec: "nosuch": executable file not found in $PATH'],
    [['/etc'], 126, 'not_executable', 'exec: "/etc": permission denied'],
  ])('a command that cannot be started is an answer: %j', async (cmd, exit_code, code, message) => {
    const { status, body } = await exec({ cmd });
    expect(status).toBe(200);
    expect(body).toMatchObject({ exit_code, error: { code, message } });
  });

  test.each([
    ['no JSON', '{"cmd":'],
    ['a list', '[]'],
    ['no command', '{}'],
    ['an empty command', '{"cmd":[]}'],
    ['a command that is a string', '{"cmd":"true"}'],
    ['a number among the words', '{"cmd":["true",1]}'],
    ['an unknown field', '{"cmd":["true"],"nosuch":1}'],
    ['a stdin that is no base64', '{"cmd":["true"],"stdin":"*"}'],
    ['a negative time', '{"cmd":["true"],"timeout_ns":-1}'],
    ['nothing at all', ''],
  ])('400 for %s', async (_name, body) => {
    const answer = await exec(body);
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(/./) } });
  });

  test('404 elsewhere, 405 for another method', async () => {
    expect((await execRaw('POST /other HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}')).status).toBe(
      404,
    );
    expect((await execRaw('GET /exec HTTP/1.1\r\nHost: b\r\n\r\n')).status).toBe(405);
  });

  test('411 without a length, 413 for more than 1 MiB', async () => {
    expect((await execRaw('POST /exec HTTP/1.1\r\nHost: b\r\n\r\n')).status).toBe(411);
    const over = 'POST /exec HTTP/1.1\r\nHost: b\r\nContent-Length: 1048577\r\n\r\n';
    expect((await execRaw(over)).status).toBe(413);
    expect((await exec(`{"cmd":["true"]}${' '.repeat(MIB - 16)}`)).status).toBe(200);
  });

  test('what is no HTTP is refused, and the service goes on', async () => {
    const garbage = await execRaw('\0\x01\x02 garbage\r\n\r\n').catch((error: unknown) => error);
    if (!(garbage instanceof Error)) expect(garbage).toMatchObject({ status: 400 });
    expect((await exec({ cmd: ['true'] })).body).toMatchObject({ exit_code: 0 });
  });

  test('many at once', async () => {
    const codes = Array.from({ length: 50 }, (_, n) => n);
    const answers = await Promise.all(
      codes.map((n) => exec({ cmd: sh(`exit ${n}`), timeout_ns: 60 * SECOND_NS })),
    );
    expect(answers.map(({ body }) => body['exit_code'])).toEqual(codes);
  });
});

describe('agent.sock', () => {
  test('GET /healthz is 200 and says who answers', async () => {
    const { status, headers, body } = await health('GET /healthz');
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'application/json' });
    expect(body).toEqual({
      status: 'ok',
      protocol: 1,
      agent: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      uptime_ms: expect.any(Number),
    });
  });

  test('404 elsewhere, 405 for another method', async () => {
    expect((await health('GET /')).status).toBe(404);
    expect((await health('GET /healthz/x')).status).toBe(404);
    expect((await health('POST /healthz')).status).toBe(405);
    expect((await health('DELETE /healthz')).status).toBe(405);
  });
});

test('the sockets are for their owner alone', () => {
  const { exec_socket_path, socket_path } = recordOf(box);
  for (const path of [exec_socket_path, socket_path]) expect(statSync(path).mode & 0o777).toBe(0o600);
});
