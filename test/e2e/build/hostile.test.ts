/** Contexts that lead out of themselves, hold what is no file, or have names that speak to terminals. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { Terminal } from '../fixture/terminal.ts';
import { LAUNCHER } from '../fixture/cli.ts';
import { fill } from './fixture/context.ts';
import { Ground, SECRET } from './fixture/ground.ts';

/** A context whose links lead to what is beside it. */
function withLinks(): Ground {
  const ground = new Ground({
    file: { symlink: '../outside/secret' },
    directory: { symlink: '../outside' },
    'm/middle': { symlink: '../../outside' },
    chain: { symlink: 'directory/d' },
    loop: { symlink: 'loop' },
    up: { symlink: '..' },
    good: 'good',
  });
  symlinkSync(join(ground.outside, 'secret'), join(ground.context, 'absolute'));
  symlinkSync('/etc/passwd', join(ground.context, 'passwd'));
  return ground;
}

describe('links out of the context', () => {
  test('lead nowhere, whatever copies them', async () => {
    const ground = withLinks();
    const refused: [string, string][] = [
      ['COPY file /x', '"/file": not found'],
      ['COPY directory /x', '"/directory": not found'],
      ['COPY directory/secret /x', '"/directory/secret": not found'],
      ['COPY m/middle/secret /x', '"/m/middle/secret": not found'],
      ['COPY chain/ /x/', '"/chain": not found'],
      ['COPY up/outside/secret /x', '"/up/outside/secret": not found'],
      ['COPY absolute /x', '"/absolute": not found'],
      ['COPY passwd /x', '"/passwd": not found'],
      ['COPY loop /x', 'too many links'],
      ['COPY directory/* /x/', '/outside: no such file or directory'],
      ['COPY f*e /x/', '"/file": not found'],
      ['COPY --parents m/middle/secret /x/', '"/m/middle/secret": not found'],
      ['COPY --link --chmod=644 file /x', '"/file": not found'],
      ['ADD directory/d /x', '"/directory/d": not found'],
      ['COPY ../outside/secret /x', '"/outside/secret": not found'],
      ['COPY good/../../outside/secret /x', '"/outside/secret": not found'],
      ['ADD ../../../../../../etc/passwd /x', '"/etc/passwd": not found'],
      ['COPY /etc/passwd /x', '"/etc/passwd": not found'],
      ['RUN --mount=type=bind,source=directory,target=/m cat /m/secret', '"/directory": not found'],
    ];
    for (const [instruction, message] of refused) {
      const { status, err } = await ground.dockerfile(`FROM scratch\n${instruction}\n`, ['-o', ground.out]);
      expect(err).toMatch(new RegExp(`^ERROR: failed to solve: .*${escaped(message)}$`, 'm'));
      expect(status).toBe(1);
    }
  });

  test('are copied as links with their directory', async () => {
    const tree = await withLinks().tree('FROM scratch\nCOPY . /x\n');
    expect(tree).toMatchObject({
      'x/file': 'link 0:0 -> ../outside/secret',
      'x/directory': 'link 0:0 -> ../outside',
      'x/m/middle': 'link 0:0 -> ../../outside',
      'x/passwd': 'link 0:0 -> /etc/passwd',
      'x/up': 'link 0:0 -> ..',
    });
  });

  test('lead nowhere from a stage or a named context either', async () => {
    const ground = withLinks();
    const stages = 'FROM scratch AS a\nCOPY . /x\nFROM scratch\nCOPY --from=a ';
    for (const path of ['/x/file', '/x/passwd', '/x/m/middle/secret']) {
      const { status, err } = await ground.dockerfile(`${stages}${path} /y\n`, ['-o', ground.out]);
      expect(err).toContain(`"${path}": not found`);
      expect(status).toBe(1);
    }
    const named = ['--build-context', `other=${ground.context}`, '-o', ground.out];
    const { status, err } = await ground.dockerfile('FROM scratch\nCOPY --from=other file /y\n', named);
    expect(err).toContain('"/file": not found');
    expect(status).toBe(1);
  });

  test('in the image are followed inside of it', async () => {
    const ground = withLinks();
    const tree = await ground.tree(
      `FROM scratch\nCOPY . /x\nCOPY good /x/directory/secret\nWORKDIR /x/m/middle/w\nCOPY good ${ground.outside}/\n`,
    );
    expect(tree).toMatchObject({
      'outside/secret': 'file 0644 0:0 "good"',
      'outside/w': 'dir 0755 0:0',
      [`${ground.outside.slice(1)}/good`]: 'file 0644 0:0 "good"',
    });
  });

  test('at the place of the result are not followed', async () => {
    const ground = new Ground({ 'd/secret': 'other', secret: 'other' });
    mkdirSync(ground.out);
    symlinkSync(ground.outside, join(ground.out, 'd'));
    symlinkSync(join(ground.outside, 'secret'), join(ground.out, 'secret'));
    expect(await ground.tree('FROM scratch\nCOPY . /\n')).toEqual({
      d: 'dir 0755 0:0',
      'd/secret': 'file 0644 0:0 "other"',
      secret: 'file 0644 0:0 "other"',
    });
  });

  test('in place of the Dockerfile and its ignore file are not followed', async () => {
    const ground = new Ground({ Dockerfile: { symlink: '../outside/secret' } });
    const asked = await ground.build(['.']);
    expect(asked.err).toBe(
      'ERROR: failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory\n',
    );
    expect(asked.status).toBe(1);
    const other = new Ground({ '.dockerignore': { symlink: '../outside/secret' }, [SECRET]: 'here' });
    expect(Object.keys(await other.tree('FROM scratch\nCOPY . /\n'))).toContain(SECRET);
  });
});

describe('pipes and sockets', () => {
  function withPipes(): Ground {
    const ground = new Ground({ 'd/f': 'file' });
    execFileSync('mkfifo', ['p', 'd/p'], { cwd: ground.context });
    const bind = 'import socket; socket.socket(socket.AF_UNIX).bind("s")';
    for (const cwd of [ground.context, join(ground.context, 'd')])
      execFileSync('python3', ['-c', bind], { cwd });
    return ground;
  }

  test('a pipe stays one, a socket is an empty file, and nobody waits for them', async () => {
    const ground = withPipes();
    const archive = ['-o', `type=tar,dest=${ground.out}`];
    const { status, err } = await ground.dockerfile('FROM scratch\nCOPY . /x/\nADD p /y/\n', archive);
    expect(status, err).toBe(0);
    const listed = execFileSync('tar', ['-tvf', ground.out]).toString().trim().split('\n');
    expect(listed.map((line) => `${line[0]} ${line.split(' ').at(-1)}`).toSorted()).toEqual([
      '- x/d/f',
      '- x/d/s',
      '- x/s',
      'd x/',
      'd x/d/',
      'd y/',
      'p x/d/p',
      'p x/p',
      'p y/p',
    ]);
  });

  test.each(['COPY s /y', 'ADD d/f d/s /y/'])('a socket that is named is refused: %s', async (line) => {
    const { status, err } = await withPipes().dockerfile(`FROM scratch\n${line}\n`);
    const path = line.startsWith('COPY') ? '/s' : '/d/s';
    expect(err.trimEnd().split('\n').at(-1)).toBe(
      `ERROR: failed to solve: failed to compute cache key: failed to calculate checksum of ref context: "${path}": is a socket`,
    );
    expect(status).toBe(1);
  });

  test.each([
    [['-f', 'p', '.'], 'failed to read dockerfile: read p: not a regular file'],
    [['-f', 's', '.'], 'failed to read dockerfile: read s: not a regular file'],
    [['-f', 'd', '.'], 'failed to read dockerfile: read d: is a directory'],
  ])('are no Dockerfile: %j', async (words, message) => {
    const { status, err } = await withPipes().build(words);
    expect(err).toBe(`ERROR: ${message}\n`);
    expect(status).toBe(1);
  });

  test('are no ignore file', async () => {
    const ground = new Ground({ Dockerfile: 'FROM scratch\nCOPY . /\n' });
    execFileSync('mkfifo', [join(ground.context, '.dockerignore')]);
    const { status, out } = await ground.build(['.']).catch((error: unknown) => ({ status: error, out: '' }));
    expect([status, out]).toEqual([1, '']);
  });
});

describe('names that speak to the terminal', () => {
  const EVIL = 'e\u001b[2J\u001b]0;title\u0007\r\n#9 DONE';
  const speaking = (): Ground =>
    new Ground({ [EVIL]: 'x', l: { symlink: EVIL }, [`${EVIL}l`]: { symlink: 'no\u009b5m' } });

  test('are copied as they are', async () => {
    expect(await speaking().tree('FROM scratch\nCOPY e* /x/\n'.replace('e*', '[e]?[[]*E'))).toEqual({
      x: 'dir 0755 0:0',
      [`x/${EVIL}`]: 'file 0644 0:0 "x"',
    });
  });

  test.each([
    ['a link that leads nowhere', 'FROM scratch\nCOPY e* /x/\n'],
    ['an instruction', `FROM scratch\nCOPY \u001b[2Jx\u0007 /x\n`],
    ['JSON', 'FROM scratch\nCOPY ["\\u001b[2J\\n#9 DONE", "/x"]\n'],
    ['a word that is no instruction', 'FROM scratch\n\u001b]0;title\u0007 x\n'],
    ['a stage', 'FROM scratch AS \u001b[2J\n'],
    ['an image', 'FROM \u001b[2Jx\n'],
    ['a variable', 'FROM scratch\nENV A=${B:?\u001b[2J\u0007}\n'],
    ['a flag', 'FROM scratch\nCOPY --\u001b[2J=x x /x\n'],
    ['a directive', '# syntax=\u001b[2J\nFROM scratch\nCOPY x /\n'],
    ['a heredoc that does not end', 'FROM scratch\nCOPY <<\u001b[2J /x\n'],
    ['a user', 'FROM scratch\nCOPY --chown=\u001b[2J e* /x\n'],
    ['a source from nowhere', 'FROM scratch\nCOPY --from=\u001b[2J e* /x\n'],
  ])('are told as text: %s', async (_what, text) => {
    const { status, err } = await speaking().dockerfile(text);
    expect(err).not.toMatch(/[^\P{Cc}\n\t]/u);
    expect(err).not.toMatch(/^#9 DONE/m);
    expect(err).toMatch(/^ERROR: /m);
    expect(status).toBe(1);
  });

  test('do nothing to a terminal', async () => {
    const ground = speaking();
    fill(ground.context, { Dockerfile: 'FROM scratch\nCOPY \u001b]0;t\u0007e* /x/\nCOPY e* /x/\n' });
    const terminal = await Terminal.open(`${LAUNCHER} build ${ground.context}`, { rows: 24, cols: 80 });
    try {
      const { screen, status } = await terminal.ended();
      expect(screen).not.toContain('\u001b]0;');
      expect(screen).not.toContain('\u001b[2J');
      expect(screen).not.toContain('\u0007');
      expect(status).toBe(1);
    } finally {
      terminal.close();
    }
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
