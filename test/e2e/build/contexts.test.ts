/** Where contexts and files of a build come from: stdin, repositories, servers, other images; and keys and secrets on the way. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';

import { temporaryDirectory } from '../../temporary.ts';
import { serve } from '../../unit/build/context/fixture.ts';
import { Repository, serveDaemon, serveHttp } from '../../unit/build/context/git-server.ts';
import { tar } from '../../unit/images/layers/fixture/tar.ts';
import { a3s, a3sOk } from '../fixture/cli.ts';
import { fill } from './fixture/context.ts';
import { leftovers } from './fixture/leftovers.ts';
import { describeTree } from './fixture/tree.ts';

const DOCKERFILE = 'FROM scratch\nCOPY f /x/\n';
const CONTEXT = tar(
  { name: 'Dockerfile', content: DOCKERFILE },
  { name: 'f', content: 'from the archive', mode: 0o640, uid: 7, gid: 8 },
);
const FILES = { x: 'dir 0755 0:0', 'x/f': 'file 0640 0:0 "from the archive"' };

/** The machine of commands has to be made first, on a host that may be busy. */
const DEADLINE_MS = 300_000;

/** What `build` puts into a directory. */
async function built(
  words: readonly string[],
  {
    cwd = temporaryDirectory(),
    ...options
  }: { cwd?: string; stdin?: string | Buffer; env?: NodeJS.ProcessEnv } = {},
): Promise<Record<string, string>> {
  const out = join(temporaryDirectory(), 'out');
  await a3sOk(['build', '-o', out, ...words], { cwd, deadlineMs: DEADLINE_MS, ...options });
  expect(leftovers()).toEqual([]);
  return Object.fromEntries(describeTree(out));
}

async function refused(
  words: readonly string[],
  options: { cwd?: string; stdin?: string } = {},
): Promise<string> {
  const { status, out, err } = await a3s(['build', '--progress', 'plain', ...words], {
    deadlineMs: DEADLINE_MS,
    ...options,
  });
  expect([status, out]).toEqual([1, '']);
  expect(leftovers()).toEqual([]);
  return err.split('\n').find((line) => line.startsWith('ERROR: ')) ?? err;
}

describe('stdin', () => {
  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['plain', (bytes) => bytes],
    ['gzip', (bytes) => gzipSync(bytes)],
    ['zstd', (bytes) => zstdCompressSync(bytes)],
    ['bzip2', (input) => execFileSync('bzip2', ['-c'], { input })],
    ['xz', (input) => execFileSync('xz', ['-c'], { input })],
  ])('brings a context as an archive: %s', async (_form, packed) => {
    // Owners are not the context's to give.
    expect(await built(['-'], { stdin: packed(CONTEXT) })).toEqual(FILES);
  });

  test('brings an archive with a Dockerfile of another name', async () => {
    const archive = tar({ name: 'd/other', content: 'FROM scratch\nCOPY d /\n' });
    expect(Object.keys(await built(['-f', 'd/other', '-'], { stdin: archive }))).toEqual(['other']);
  });

  test('brings a Dockerfile, and the context is empty', async () => {
    expect(await built(['-'], { stdin: 'FROM scratch\nCOPY <<f /f\ntext\nf\n' })).toEqual({
      f: 'file 0644 0:0 "text\\n"',
    });
    expect(await refused(['-'], { stdin: DOCKERFILE })).toMatch(/"\/f": not found$/);
    expect(await refused(['-'])).toMatch(
      /failed to read dockerfile: open Dockerfile: no such file or directory$/,
    );
  });

  test('brings the Dockerfile of a directory', async () => {
    const cwd = temporaryDirectory();
    fill(cwd, { Dockerfile: 'not this one', f: { content: 'here', mode: 0o600 } });
    expect(await built(['-f', '-', '.'], { cwd, stdin: DOCKERFILE })).toEqual({
      x: 'dir 0755 0:0',
      'x/f': 'file 0600 0:0 "here"',
    });
  });
});

test('a Dockerfile beside the context has its own ignore file there', async () => {
  const cwd = temporaryDirectory();
  fill(cwd, {
    'files/My': 'FROM scratch\nCOPY . /\n',
    'files/My.dockerignore': 'no\n',
    'context/.dockerignore': 'yes\n',
    'context/no': '',
    'context/yes': '',
  });
  expect(Object.keys(await built(['-f', 'files/My', 'context'], { cwd }))).toEqual(['.dockerignore', 'yes']);
});

describe('a repository', () => {
  function repository(): Repository {
    const made = new Repository();
    made.commit({
      Dockerfile: 'FROM scratch\nCOPY . /\n',
      'd/Dockerfile': 'FROM scratch\nCOPY f /\n',
      'd/f': 'one',
    });
    made.git('tag', 'v1');
    made.commit({ 'd/f': 'two' });
    made.publish();
    return made;
  }

  test('is a context, with a reference and a directory', async () => {
    const { root } = repository();
    const url = `${await serveDaemon(root)}/repo.git`;
    expect(await built([`${url}#v1:d`])).toEqual({ f: 'file 0644 0:0 "one"' });
    expect(await built([`${url}#trunk:d`])).toEqual({ f: 'file 0644 0:0 "two"' });
    expect(Object.keys(await built([url]))).toEqual(['Dockerfile', 'd', 'd/Dockerfile', 'd/f']);
    expect(await refused([`${url}#nosuch`])).toMatch(/nosuch/);
    // As if the repository were the root.
    expect(Object.keys(await built([`${url}#v1:d/../../..`]))).toEqual([
      'Dockerfile',
      'd',
      'd/Dockerfile',
      'd/f',
    ]);
  });

  test('is a named context, and a source of ADD', async () => {
    const made = repository();
    const commit = made.git('rev-parse', 'v1^{commit}');
    const url = `${await serveHttp(made.root)}/repo.git`;
    const text = `FROM scratch\nCOPY --from=code d/f /named\nADD --checksum=${commit} ${url}#v1:d /added\n`;
    expect(await built(['--build-context', `code=${url}`, '-'], { stdin: text })).toEqual({
      added: 'dir 0755 0:0',
      'added/Dockerfile': 'file 0644 0:0 "FROM scratch\\nCOPY f /\\n"',
      'added/f': 'file 0644 0:0 "one"',
      named: 'file 0644 0:0 "two"',
    });
    const wrong = `FROM scratch\nADD --checksum=${'1'.repeat(40)} ${url}#v1 /\n`;
    expect(await refused(['-'], { stdin: wrong })).toMatch(
      /expected checksum to match 1{40}, got [0-9a-f]{40}/,
    );
  });
});

describe('a server', () => {
  const CONTENT = 'fetched\n';
  const DIGEST = `sha256:${createHash('sha256').update(CONTENT).digest('hex')}`;
  const files = (): Promise<string> =>
    serve((request, response) => {
      const known: Record<string, string | Buffer> = {
        '/context.tar.gz': gzipSync(CONTEXT),
        '/Dockerfile': 'FROM scratch\nCOPY <<f /f\ntext\nf\n',
        '/file': CONTENT,
      };
      const body = known[request.url ?? ''];
      response.setHeader('Last-Modified', 'Thu, 02 Jan 2025 03:04:05 GMT');
      response.writeHead(body === undefined ? 404 : 200).end(body);
    });

  test('has an archive or a Dockerfile as context', async () => {
    const url = await files();
    expect(await built([`${url}/context.tar.gz`])).toEqual(FILES);
    expect(await built([`${url}/Dockerfile`])).toEqual({ f: 'file 0644 0:0 "text\\n"' });
    expect(await refused([`${url}/nosuch`])).toMatch(/invalid response status 404$/);
  });

  test('has a named context, which is the file itself', async () => {
    const words = ['--build-context', `other=${await files()}/file`, '-'];
    const tree = await built(words, { stdin: 'FROM scratch\nCOPY --from=other context /f\n' });
    expect(tree).toEqual({ f: 'file 0600 0:0 "fetched\\n"' });
  });

  test('has files for ADD, which are proved', async () => {
    const url = await files();
    const add = (flags: string): string => `FROM scratch\nADD ${flags} ${url}/file /d/\n`;
    const tree = { d: 'dir 0755 0:0', 'd/file': 'file 0600 0:0 "fetched\\n"' };
    expect(await built(['-'], { stdin: add('') })).toEqual(tree);
    expect(await built(['-'], { stdin: add(`--checksum=${DIGEST}`) })).toEqual(tree);
    const wrong = `sha256:${'1'.repeat(64)}`;
    expect(await refused(['-'], { stdin: add(`--checksum=${wrong}`) })).toBe(
      `ERROR: failed to solve: digest mismatch ${DIGEST}: ${wrong}`,
    );
    expect(await refused(['-'], { stdin: `FROM scratch\nADD ${url}/nosuch /\n` })).toMatch(/status 404$/);
  });
});

test('an OCI layout is a named context', async () => {
  const cwd = temporaryDirectory();
  writeFileSync(join(cwd, 'Dockerfile'), 'FROM scratch\nCOPY <<f /f\nin the layout\nf\nENV A=1\n');
  await a3sOk(['build', '-o', `type=oci,dest=${cwd}/layout.tar`, '.'], { cwd });
  mkdirSync(join(cwd, 'layout'));
  execFileSync('tar', ['-xf', 'layout.tar', '-C', 'layout'], { cwd });
  const words = ['--build-context', 'base=oci-layout://layout', '-f', '-', '.'];
  const tree = await built(words, { cwd, stdin: 'FROM base\nCOPY --from=base f /g-$A\n' });
  expect(tree).toEqual({ f: 'file 0644 0:0 "in the layout\\n"', 'g-1': 'file 0644 0:0 "in the layout\\n"' });
});

describe('what a command may use and the image does not keep', () => {
  /** Asks an agent for its keys and prints their number. */
  const ASKER = String.raw`
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(void) {
  struct sockaddr_un to = { .sun_family = AF_UNIX };
  unsigned char answer[9], request[] = { 0, 0, 0, 1, 11 };
  int agent = socket(AF_UNIX, SOCK_STREAM, 0);
  strcpy(to.sun_path, getenv("SSH_AUTH_SOCK"));
  if (connect(agent, (struct sockaddr *)&to, sizeof to)) return perror("connect"), 1;
  if (write(agent, request, 5) != 5) return 2;
  for (int got = 0, n; got < 9; got += n) if ((n = read(agent, answer + got, 9 - got)) < 1) return 3;
  printf("type %d, %d keys\n", answer[4], answer[8]);
}
`;

  function agent(cwd: string): string {
    const socket = join(cwd, 'agent');
    const started = execFileSync('ssh-agent', ['-a', socket]).toString();
    const [, pid] = /SSH_AGENT_PID=(\d+)/.exec(started) ?? [];
    onTestFinished(() => void process.kill(Number(pid), 'SIGKILL'));
    for (const type of ['ed25519', 'ecdsa']) {
      execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', join(cwd, type)]);
      execFileSync('ssh-add', ['-q', join(cwd, type)], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    }
    return socket;
  }

  test('the keys of an agent', async () => {
    const cwd = temporaryDirectory();
    const SSH_AUTH_SOCK = agent(cwd);
    writeFileSync(join(cwd, 'ask.c'), ASKER);
    execFileSync('gcc', ['-static', '-O1', '-o', 'ask', 'ask.c'], { cwd });
    const run = 'FROM a3s/base\nCOPY ask /\nRUN --mount=type=ssh /ask >/keys\nRUN test -z "$SSH_AUTH_SOCK"\n';
    const text = `${run}FROM scratch\nCOPY --from=0 /keys /\n`;
    const tree = await built(['--ssh', 'default', '-f', '-', '.'], {
      cwd,
      stdin: text,
      env: { SSH_AUTH_SOCK },
    });
    expect(tree).toEqual({ keys: 'file 0644 0:0 "type 12, 2 keys\\n"' });
  });

  test('an agent that is needed and not given', async () => {
    const stdin = 'FROM a3s/base\nRUN --mount=type=ssh,required=true true\n';
    expect(await refused(['-'], { stdin })).toMatch(/ssh key "?default"?|no SSH key/i);
  });

  test('secrets: of a file, of the environment, and none', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'token'), 'of a file');
    const stdin = [
      'FROM a3s/base',
      'RUN --mount=type=secret,id=f --mount=type=secret,id=v,env=V --mount=type=secret,id=none \\',
      '    (cat /run/secrets/f; echo; echo "$V"; ls /run/secrets) | tr a-z A-Z >/seen',
      'RUN ls -A /run/secrets 2>/dev/null >>/seen; true',
      'FROM scratch',
      'COPY --from=0 /seen /',
      '',
    ].join('\n');
    const words = ['--secret', 'id=f,src=token', '--secret', 'id=v,env=BUILD_TOKEN', '-f', '-', '.'];
    expect(await built(words, { cwd, stdin, env: { BUILD_TOKEN: 'of env' } })).toEqual({
      seen: 'file 0644 0:0 "OF A FILE\\nOF ENV\\nF\\n"',
    });
    expect(await refused(['--secret', 'id=f,src=nosuch', '-'], { stdin })).toMatch(
      /nosuch: no such file or directory/,
    );
  });
});
