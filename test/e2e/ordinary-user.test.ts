import { readFileSync, readdirSync, statSync, writeFileSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { OrdinaryUser } from './fixture/ordinary-user.ts';
import { ask } from '../fixture/ports.ts';
import { processesNaming, quiet } from './fixture/processes.ts';
import { readBoxesFile } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const { obstacle } = OrdinaryUser;

describe.skipIf(obstacle !== null)(
  `an ordinary user (${obstacle ?? 'with a state directory of its own'})`,
  () => {
    let user: OrdinaryUser;
    const ok = (...words: string[]): Promise<string> => a3sOk(words, user.cli);
    beforeAll(() => {
      user = new OrdinaryUser();
    });
    afterAll(async () => {
      const names = readBoxesFile(user.home).map((box) => box.name);
      if (names.length > 0) await ok('rm', '-f', ...names);
      await quiet(user.home);
      user.remove();
    });

    test('runs a box from an empty state directory', async () => {
      const { status, out, err } = await a3s(
        ['run', '--rm', 'a3s/base', 'sh', '-c', 'echo out; echo err >&2; exit 3'],
        user.cli,
      );
      expect({ status, out, err }).toEqual({ status: 3, out: 'out\n', err: 'err\n' });
    });

    test('is root in the box', async () => {
      expect(
        await ok(
          'run',
          '--rm',
          'a3s/base',
          'sh',
          '-c',
          'id -u; chown 5:5 /etc/passwd && stat -c %u /etc/passwd',
        ),
      ).toBe('0\n5');
    });

    test('runs processes as itself, and nobody else may look into its state directory', async () => {
      await ok('run', '-d', '--name', 'mine', 'a3s/base', 'sleep', '10000');
      const [box] = readBoxesFile(user.home);
      const processes = processesNaming(box?.box_dir ?? '');
      expect(processes.map(({ role }) => role).toSorted()).toEqual(['monitor', 'vm']);
      for (const { pid } of processes) expect(statSync(`/proc/${pid}`).uid).toBe(user.uid);
      const mode = (path: string): number => statSync(path).mode & 0o777;
      expect(mode(user.home)).toBe(0o700);
      const sockets = readdirSync(join(box?.box_dir ?? '', 'sockets'));
      expect(sockets.toSorted()).toEqual(['agent.sock', 'control.sock', 'exec.sock']);
      for (const socket of sockets) expect(mode(join(box?.box_dir ?? '', 'sockets', socket))).toBe(0o600);
    });

    test('executes, stops and starts, and keeps what it wrote', async () => {
      await ok('exec', 'mine', 'sh', '-c', 'echo kept > /kept');
      expect(await a3s(['exec', '-i', 'mine', 'cat'], { ...user.cli, stdin: 'abc' })).toMatchObject({
        status: 0,
        out: 'abc',
      });
      await ok('stop', '-t', '0', 'mine');
      expect(await ok('ps', '-a', '--format', '{{.Names}} {{.State}}')).toBe('mine exited');
      await ok('start', 'mine');
      expect(await ok('exec', 'mine', 'cat', '/kept')).toBe('kept');
    });

    test('mounts its directories', async () => {
      writeFileSync(join(user.files, 'in'), 'in\n');
      chownSync(join(user.files, 'in'), user.uid, user.uid);
      expect(
        await ok(
          'run',
          '--rm',
          '-v',
          './:/data',
          'a3s/base',
          'sh',
          '-c',
          'cat /data/in; echo out > /data/out',
        ),
      ).toBe('in');
      expect(readFileSync(join(user.files, 'out'), 'utf8')).toBe('out\n');
      expect(statSync(join(user.files, 'out')).uid).toBe(user.uid);
    });

    test('publishes ports', async () => {
      const words = ['-p', '127.0.0.1::80', 'a3s/base', 'nc', '-ll', '-p', '80', '-e', 'cat'];
      await ok('run', '-d', '--name', 'port', ...words);
      const port = readBoxesFile(user.home).find((box) => box.name === 'port')?.port_map[0]?.host_port ?? 0;
      expect(await until('an answer', () => ask(port), 20_000)).toBe('hello\n');
    });

    test('removes its boxes, and nothing is left', async () => {
      expect(await ok('rm', '-f', 'mine', 'port')).toBe('mine\nport');
      await quiet(user.home);
      expect(readdirSync(join(user.home, 'boxes'))).toEqual([]);
      expect(readBoxesFile(user.home)).toEqual([]);
    });
  },
);
