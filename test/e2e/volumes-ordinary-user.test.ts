import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { a3sOk } from './fixture/cli.ts';
import { OrdinaryUser } from './fixture/ordinary-user.ts';
import { quiet } from './fixture/processes.ts';

const { obstacle } = OrdinaryUser;

describe.skipIf(obstacle !== null)(`volumes of an ordinary user (${obstacle ?? 'QEMU is not root'})`, () => {
  let user: OrdinaryUser;
  const ok = (...words: string[]): Promise<string> => a3sOk(words, user.cli);
  const sh = (volume: string, script: string): Promise<string> =>
    ok('run', '--rm', '-v', volume, 'a3s/base', 'sh', '-c', script);
  beforeAll(() => {
    user = new OrdinaryUser();
  });
  afterAll(async () => {
    await quiet(user.home);
    user.remove();
  });

  test('keep owners, modes and links as boxes make them', async () => {
    const script =
      'cd /data; stat -c "%a %u:%g" .; echo x > f; chown 70:71 f .; chmod 4750 f; ln -s f link; mkfifo fifo; ln f twin';
    expect(await sh('own:/data', script)).toBe('755 0:0');
    const look = 'cd /data; stat -c "%a %u:%g %h %F" . f link fifo; readlink link; cat twin';
    expect(await sh('own:/data', look)).toBe(
      [
        '755 70:71 2 directory',
        '4750 70:71 2 regular file',
        '777 0:0 1 symbolic link',
        '644 0:0 1 fifo',
        'f',
        'x',
      ].join('\n'),
    );
    const data = join(user.home, 'volumes', 'own', '_data');
    for (const name of readdirSync(data)) expect(lstatSync(join(data, name)).uid).toBe(user.uid);
    expect(readFileSync(join(data, 'f'), 'utf8')).toBe('x\n');
  });

  test('are filled from the image with its owners', async () => {
    const facts = 'stat -c "%a %u:%g %n" /root /etc/shadow /etc/passwd; ls /etc | grep -c passwd';
    const image = await ok('run', '--rm', 'a3s/base', 'sh', '-c', facts);
    expect(await ok('run', '--rm', '-v', 'r1:/root', '-v', 'e1:/etc', 'a3s/base', 'sh', '-c', facts)).toBe(
      image,
    );
    expect(await ok('volume', 'rm', 'r1', 'e1', 'own')).toBe('r1\ne1\nown');
    expect(readdirSync(join(user.home, 'volumes'))).toEqual(['.records']);
  });
});
