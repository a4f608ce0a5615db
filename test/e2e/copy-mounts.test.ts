/** `cp` where a box has mounts, read-only ones, and a read-only root; as root and as an ordinary user. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../temporary.ts';
import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { OrdinaryUser } from './fixture/ordinary-user.ts';
import { quiet } from './fixture/processes.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('copymounts');
const LIVE = ['a3s/base', 'sleep', '1000'];
const QUIET = { status: 0, out: '', err: '' };
const VOLUME = 'copy-mounts';

afterEach(async () => {
  const names = await a3sOk(['ps', '-aq', '--filter', 'name=^/copymounts-']);
  if (names !== '') await a3sOk(['rm', '-f', ...names.split('\n')]);
  await a3sOk(['volume', 'rm', '-f', VOLUME]);
});

const refused = (why: string) => ({ status: 1, out: '', err: `Error response from daemon: ${why}\n` });
const ROOT = refused('container rootfs is marked read-only');
const MOUNT = refused('mounted volume is marked read-only');

/** A box with a read-only root, a volume, a directory to write, and one not to. */
async function fixedBox(top: string): Promise<string> {
  mkdirSync(join(top, 'open'));
  mkdirSync(join(top, 'fixed'));
  writeFileSync(join(top, 'fixed/there'), 'fixed\n');
  writeFileSync(join(top, 'f'), 'data\n');
  const binds = ['-v', `${top}/open:/open`, '-v', `${top}/fixed:/fixed:ro`];
  return boxes.detached('fixed', ['--read-only', '-v', `${VOLUME}:/data`, ...binds, ...LIVE]);
}

describe.each(['running', 'stopped'])('a box with a read-only root that is %s', (state) => {
  test('takes files into its volumes and directories alone, and gives all', async () => {
    const top = temporaryDirectory();
    const box = await fixedBox(top);
    if (state === 'stopped') await a3sOk(['stop', '-t', '0', box]);
    const file = join(top, 'f');
    expect(await a3s(['cp', file, `${box}:/data/in`])).toMatchObject(QUIET);
    expect(await a3s(['cp', file, `${box}:/open`])).toMatchObject(QUIET);
    expect(readFileSync(join(top, 'open/f'), 'utf8')).toBe('data\n');
    expect(await a3s(['cp', file, `${box}:/etc/f`])).toMatchObject(ROOT);
    expect(await a3s(['cp', file, `${box}:/`])).toMatchObject(ROOT);
    expect(await a3s(['cp', file, `${box}:/fixed`])).toMatchObject(MOUNT);
    expect(await a3s(['cp', file, `${box}:/fixed/there`])).toMatchObject(MOUNT);
    for (const [path, content] of [
      ['/data/in', 'data\n'],
      ['/open/f', 'data\n'],
      ['/fixed/there', 'fixed\n'],
      ['/etc/passwd', 'root:'],
    ]) {
      expect(await a3s(['cp', `${box}:${path}`, join(top, 'out')])).toMatchObject(QUIET);
      expect(readFileSync(join(top, 'out'), 'utf8').startsWith(content ?? '')).toBe(true);
    }
    // The volume holds it for the next box.
    const read = ['run', '--rm', '-v', `${VOLUME}:/data`, 'a3s/base', 'cat', '/data/in'];
    expect(await a3sOk(read)).toBe('data');
    expect(readFileSync(join(top, 'fixed/there'), 'utf8')).toBe('fixed\n');
  });
});

test('a link that leads into a mount is followed there', async () => {
  const top = temporaryDirectory();
  mkdirSync(join(top, 'open'));
  writeFileSync(join(top, 'f'), 'data\n');
  const script = 'ln -s /open /way && touch /up && sleep 1000';
  const box = await boxes.detached('way', ['-v', `${top}/open:/open`, 'a3s/base', 'sh', '-c', script]);
  await until('the link', async () => (await a3s(['exec', box, 'test', '-e', '/up'])).status === 0);
  expect(await a3s(['cp', join(top, 'f'), `${box}:/way`])).toMatchObject(QUIET);
  expect(readFileSync(join(top, 'open/f'), 'utf8')).toBe('data\n');
});

const { obstacle } = OrdinaryUser;

describe.skipIf(obstacle !== null)(`an ordinary user (${obstacle ?? 'who may not chown'})`, () => {
  let user: OrdinaryUser;
  const ok = (...words: string[]): Promise<string> => a3sOk(words, user.cli);
  beforeAll(() => {
    user = new OrdinaryUser();
  });
  afterAll(async () => {
    await ok('rm', '-f', 'box');
    await quiet(user.home);
    user.remove();
  });

  test('copies into volume, directory and root and back, and owns what comes back', async () => {
    await ok('run', '-d', '--name', 'box', '-v', 'vol:/data', '-v', './:/mine', ...LIVE);
    await ok('exec', 'box', 'sh', '-c', 'echo data >/data/f; chown 70:71 /data/f; chmod 640 /data/f');
    await ok('cp', 'box:/data/f', 'plain');
    await ok('cp', 'plain', 'box:/mine/copy');
    await ok('cp', '-a', 'plain', 'box:/root/f');
    expect(readFileSync(join(user.files, 'copy'), 'utf8')).toBe('data\n');
    const shown = ['plain', 'copy'].map((name) => {
      const { uid, gid, mode } = statSync(join(user.files, name));
      return [uid, gid, (mode & 0o7777).toString(8)];
    });
    expect(shown).toEqual([
      [user.uid, user.uid, '640'],
      [user.uid, user.uid, '640'],
    ]);
    expect(await ok('exec', 'box', 'stat', '-c', '%u:%g %a', '/root/f')).toBe(`${user.uid}:${user.uid} 640`);
    // Root's set-uid program is not to become one that runs as the owner of the directory.
    chmodSync(join(user.files, 'plain'), 0o4755);
    await ok('cp', 'plain', 'box:/mine/setuid');
    expect((statSync(join(user.files, 'setuid')).mode & 0o7777).toString(8)).toBe('755');
    await ok('stop', '-t', '0', 'box');
    await ok('cp', 'plain', 'box:/data/again');
    await ok('cp', 'box:/data/again', 'back');
    expect(readFileSync(join(user.files, 'back'), 'utf8')).toBe('data\n');
  });
});
