/** Archives that ADD unpacks and archives that are the context: whatever they name, nothing is written but where it belongs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

import { member, type Member, tar } from '../../unit/images/layers/fixture/tar.ts';
import { CliProcess } from '../fixture/cli.ts';
import { until } from '../fixture/until.ts';
import { noise } from '../fixture/remote-images.ts';
import { Ground } from './fixture/ground.ts';
import { leftovers } from './fixture/leftovers.ts';
import { describeTree } from './fixture/tree.ts';

const GIB = 1024 ** 3;
/** More than twelve octal digits can say: base 256, as GNU tar and Go write it. */
function sized(size: number): (block: Buffer) => void {
  return (block) => {
    block.fill(0, 124, 136);
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  };
}

const HUGE: Member = { name: 'zeros', patch: sized(100 * GIB) };

/** Members of gzip one after the other are one text: as many zeros as one likes, in no time. */
function zeros(gibibytes: number): Buffer {
  const piece = gzipSync(Buffer.alloc(GIB / 16));
  const head = gzipSync(member({ name: 'zeros', patch: sized(gibibytes * GIB) }));
  return Buffer.concat([head, ...Array.from({ length: gibibytes * 16 }, () => piece)]);
}

/** Names, links and devices that lead out, or would. */
function leadingOut(outside: string): Member[] {
  return [
    { name: '../outside/new', content: '1' },
    { name: '../../../../../../../../etc/a3s-new', content: '2' },
    { name: `${outside}/absolute`, content: '3' },
    { name: 'l', type: '2', link: '../outside' },
    { name: 'l/through', content: '4' },
    { name: 'a', type: '2', link: outside },
    { name: 'a/through', content: '5' },
    { name: 'deep/up', type: '2', link: '../../../../..' },
    { name: 'deep/up/through', content: '6' },
    { name: 'secret', type: '2', link: `${outside}/secret` },
    { name: 'secret', content: '7' },
    { name: 'd/./../d//x', content: '8' },
    { name: 'l/d', type: '5', mode: 0o777 },
  ];
}

describe('ADD of an archive', () => {
  const added = (ground: Ground, archive: Buffer): void =>
    writeFileSync(join(ground.context, 'a.tar'), archive);

  test('that leads out fills its own directory', async () => {
    const ground = new Ground({});
    added(ground, tar(...leadingOut(ground.outside)));
    const inside = ground.outside.slice(1);
    expect(await ground.tree('FROM scratch\nADD a.tar /x/y/\n')).toMatchObject({
      'x/y/outside/new': 'file 0644 0:0 "1"',
      'x/y/etc/a3s-new': 'file 0644 0:0 "2"',
      [`x/y/${inside}/absolute`]: 'file 0644 0:0 "3"',
      'x/y/l': 'link 0:0 -> ../outside',
      'x/y/outside/through': 'file 0644 0:0 "4"',
      'x/y/outside/d': 'dir 0777 0:0',
      [`x/y/${inside}/through`]: 'file 0644 0:0 "5"',
      'x/y/through': 'file 0644 0:0 "6"',
      'x/y/secret': 'file 0644 0:0 "7"',
      'x/y/d/x': 'file 0644 0:0 "8"',
    });
  });

  test('of devices makes none on the host', async () => {
    const ground = new Ground({});
    added(ground, tar({ name: 'sda', type: '4', major: 8 }, { name: 'null', type: '3', major: 1, minor: 3 }));
    expect(await ground.tree('FROM scratch\nADD a.tar /\n')).toEqual({});
  });

  test.each<[string, Member]>([
    ['a file of the host', { name: 'h', type: '1', link: '/etc/passwd' }],
    ['a file beside', { name: 'h', type: '1', link: '../outside/secret' }],
    ['itself', { name: 'h', type: '1', link: 'h' }],
  ])('with a hard link to %s is refused', async (_what, link) => {
    const ground = new Ground({});
    added(ground, tar(link));
    const { status, err } = await ground.dockerfile('FROM scratch\nADD a.tar /x/\n', ['-o', ground.out]);
    expect(err).toMatch(/^ERROR: failed to solve: link \S+ \S+: no such file or directory$/m);
    expect(status).toBe(1);
  });

  test.each<[string, () => Buffer, RegExp]>([
    ['more than an image may hold', () => gzipSync(tar(HUGE)), /unpacks to more than 64 GiB/],
    [
      'attributes without end',
      () => {
        const value = Buffer.alloc(60_000, 'x');
        const pax = Array.from({ length: 16 }, (_, n): [string, Buffer] => [`SCHILY.xattr.user.${n}`, value]);
        const piece = gzipSync(member({ name: 'f', pax }));
        return Buffer.concat(Array.from({ length: 300 }, () => piece));
      },
      /has more than 256 MiB of names and attributes/,
    ],
    [
      'an end in the middle',
      () => tar({ name: 'f', content: 'x', size: 5000 }),
      /ends in the middle of an entry/,
    ],
    [
      'damage',
      () => gzipSync(tar({ name: 'f', content: noise(100_000, 'damage') })).fill(0x55, 50_000, 50_099),
      /is damaged/,
    ],
  ])('with %s is refused', async (_what, archive, message) => {
    const ground = new Ground({});
    added(ground, archive());
    const { status, err } = await ground.dockerfile('FROM scratch\nADD a.tar /x/\n', ['-o', ground.out]);
    expect(err).toMatch(new RegExp(`^ERROR: failed to solve: cannot unpack a.tar: .*${message.source}`, 'm'));
    expect(err).toContain('>>> ADD a.tar /x/');
    expect(status).toBe(1);
  });

  test('that never ends can be interrupted', async () => {
    const ground = new Ground({ Dockerfile: 'FROM scratch\nADD a.tar /x/\n' });
    added(ground, zeros(60));
    const build = new CliProcess(['build', '--progress', 'plain', ground.context]);
    await until('the archive to be read', () => build.err.includes('ADD a.tar'), 30_000);
    const began = performance.now();
    build.child.kill('SIGINT');
    expect((await build.ended).status).toBe(130);
    expect(performance.now() - began).toBeLessThan(5000);
    expect(leftovers()).toEqual([]);
  });
});

describe('an archive on stdin as context', () => {
  const DOCKERFILE: Member = { name: 'Dockerfile', content: 'FROM scratch\nCOPY . /x/\n' };

  test('that leads out is unpacked as if its directory were the root', async () => {
    const ground = new Ground({});
    const archive = tar(DOCKERFILE, ...leadingOut(ground.outside));
    const { status, err } = await ground.build(['-o', ground.out, '-'], { stdin: archive });
    expect(status, err).toBe(0);
    const tree = Object.fromEntries(describeTree(ground.out));
    const inside = ground.outside.slice(1);
    expect(tree).toMatchObject({
      'x/outside/new': 'file 0644 0:0 "1"',
      'x/etc/a3s-new': 'file 0644 0:0 "2"',
      [`x/${inside}/absolute`]: 'file 0644 0:0 "3"',
      'x/outside/through': 'file 0644 0:0 "4"',
      [`x/${inside}/through`]: 'file 0644 0:0 "5"',
      'x/through': 'file 0644 0:0 "6"',
      'x/secret': 'file 0644 0:0 "7"',
    });
  });

  test.each<[string, Member[], string]>([
    [
      'a Dockerfile that is a link out',
      [{ name: 'Dockerfile', type: '2', link: '/etc/passwd' }],
      'no such file or directory',
    ],
    [
      'a Dockerfile that is a device',
      [{ name: 'Dockerfile', type: '3', major: 1, minor: 5 }],
      'no such file or directory',
    ],
    [
      'a hard link to the host',
      [DOCKERFILE, { name: 'h', type: '1', link: '/etc/passwd' }],
      'cannot unpack "h" of the context: ENOENT',
    ],
    ['more than an image may hold', [DOCKERFILE, HUGE], 'it unpacks to more than 64 GiB'],
    ['a name that is too long', [DOCKERFILE, { name: 'f', pax: { path: 'x'.repeat(300) } }], 'too long'],
    ['an end in the middle', [DOCKERFILE, { name: 'f', size: 5000 }], 'it ends in the middle of an entry'],
    [
      'names that speak to the terminal',
      [DOCKERFILE, { name: 'e\u001b[2J\n', type: '1', link: '\u0007' }],
      'e\\u001b[2J\\n',
    ],
  ])('with %s is refused', async (_what, members, message) => {
    const ground = new Ground({});
    const { status, err } = await ground.build(['-o', ground.out, '-'], { stdin: tar(...members) });
    expect(err).toContain(message);
    expect(err).toMatch(/^ERROR: /m);
    expect(err).not.toMatch(/[^\P{Cc}\n\t]/u);
    expect(status).toBe(1);
  });
});
