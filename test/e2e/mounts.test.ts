import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';

const boxes = boxesOf('mounts');
let directory: string;
beforeEach(() => {
  directory = mkdtempSync('/tmp/a3s-mounts-');
});
afterEach(() => rmSync(directory, { recursive: true }));

const sh = (flags: readonly string[], script: string): Promise<string> =>
  a3sOk(['run', '--rm', ...flags, 'a3s/base', 'sh', '-c', script]);

describe('a bind mount', () => {
  test('of a directory is read and written on both sides', async () => {
    writeFileSync(join(directory, 'from-host'), 'host\n');
    const script =
      'cat /data/from-host; echo box > /data/from-box; mkdir /data/d; rm /data/from-host; ls /data';
    expect(await sh(['-v', `${directory}:/data`], script)).toBe('host\nd\nfrom-box');
    expect(readdirSync(directory).toSorted()).toEqual(['d', 'from-box']);
    expect(readFileSync(join(directory, 'from-box'), 'utf8')).toBe('box\n');
  });

  test('shows at once what the other side writes', async () => {
    const name = await boxes.detached('live', ['-v', `${directory}:/data`, 'a3s/base', 'sleep', '1000']);
    writeFileSync(join(directory, 'a'), 'one');
    expect(await a3sOk(['exec', name, 'cat', '/data/a'])).toBe('one');
    writeFileSync(join(directory, 'a'), 'three');
    expect(await a3sOk(['exec', name, 'cat', '/data/a'])).toBe('three');
    await a3sOk(['exec', name, 'sh', '-c', 'echo back > /data/b']);
    expect(readFileSync(join(directory, 'b'), 'utf8')).toBe('back\n');
  });

  test('with :ro refuses writes', async () => {
    writeFileSync(join(directory, 'f'), 'host\n');
    const script =
      'cat /data/f; touch /data/g; echo $?; echo x > /data/f; echo $?; mount -o remount,rw /data; echo $?';
    const { status, out, err } = await a3s([
      'run',
      '--rm',
      '-v',
      `${directory}:/data:ro`,
      'a3s/base',
      'sh',
      '-c',
      script,
    ]);
    expect({ status, out }).toEqual({ status: 0, out: 'host\n1\n1\n1\n' });
    expect(err).toMatch(/touch: \/data\/g: Read-only file system/);
    expect(readdirSync(directory)).toEqual(['f']);
    expect(readFileSync(join(directory, 'f'), 'utf8')).toBe('host\n');
  });

  test('of a single file shows that file and not its neighbours', async () => {
    const file = join(directory, 'conf');
    writeFileSync(file, 'old\n');
    writeFileSync(join(directory, 'secret'), 'secret\n');
    const flags = ['-v', `${file}:/etc/app.conf`];
    expect(
      await sh(flags, 'cat /etc/app.conf; echo new > /etc/app.conf; ls /etc | grep -c secret || true'),
    ).toBe('old\n0');
    expect(readFileSync(file, 'utf8')).toBe('new\n');
  });

  test('keeps modes, links and big files', async () => {
    const big = Buffer.alloc(8 * 1024 * 1024, 'a3s');
    writeFileSync(join(directory, 'big'), big);
    writeFileSync(join(directory, 'tool'), '#!/bin/sh\necho ran "$@"\n', { mode: 0o755 });
    const script =
      'cmp /data/big /data/big && cp /data/big /data/copy && ln -s big /data/link && /data/tool it && chmod 600 /data/copy';
    expect(await sh(['-v', `${directory}:/data`], script)).toBe('ran it');
    expect(readFileSync(join(directory, 'copy')).equals(big)).toBe(true);
    expect(readFileSync(join(directory, 'link')).equals(big)).toBe(true);
    expect(statSync(join(directory, 'copy')).mode & 0o777).toBe(0o600);
  });

  test('can lie inside another, and several can be given', async () => {
    mkdirSync(join(directory, 'outer'));
    mkdirSync(join(directory, 'inner'));
    writeFileSync(join(directory, 'inner', 'f'), 'inner\n');
    const flags = ['-v', `${directory}/inner:/a/b/c:ro`, '-v', `${directory}/outer:/a`];
    expect(await sh(flags, 'cat /a/b/c/f; echo outer > /a/f; ls /a')).toBe('inner\nb\nf');
    expect(readFileSync(join(directory, 'outer', 'f'), 'utf8')).toBe('outer\n');
  });

  test('is still there after stop and start', async () => {
    const name = await boxes.detached('again', ['-v', `${directory}:/data`, 'a3s/base', 'sleep', '1000']);
    await a3sOk(['stop', '-t', '0', name]);
    writeFileSync(join(directory, 'f'), 'while stopped\n');
    await a3sOk(['start', name]);
    expect(await a3sOk(['exec', name, 'cat', '/data/f'])).toBe('while stopped');
  });

  test('is refused with 125 when it is none', async () => {
    const { status, out, err } = await a3s(['run', '--rm', '-v', `${directory}:data`, 'a3s/base', 'true']);
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err).toContain("invalid mount path: 'data' mount path must be absolute");
    expect(existsSync(join(directory, 'data'))).toBe(false);
  });
});
