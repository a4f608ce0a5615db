/** `--ssh`: a scripted agent behind the build's own, and keys of each kind, checked by OpenSSH. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { openSshAgents, parseSsh } from '../../../../src/build/secrets/ssh.ts';
import { text, uint32 } from '../../../../src/build/secrets/ssh-wire.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { refusal } from '../context/fixture.ts';

test.each([
  ['default', { id: 'default', paths: [] }],
  ['', undefined],
  ['=/sock', { id: 'default', paths: ['/sock'] }],
  ['key=a,b', { id: 'key', paths: ['a', 'b'] }],
  ['key=a=b', { id: 'key', paths: ['a=b'] }],
])('the flag %j is read', (value, source) => {
  expect(parseSsh([value])).toEqual(source === undefined ? [] : [source]);
});

type Agents = Awaited<ReturnType<typeof openSshAgents>> & { cwd: string; path: string };

async function open(
  values: string[],
  cwd = temporaryDirectory(),
  env: NodeJS.ProcessEnv = {},
): Promise<Agents> {
  const tempDir = join(cwd, 'temp');
  mkdirSync(tempDir, { recursive: true });
  const agents = await openSshAgents(parseSsh(values), { tempDir, cwd, env });
  onTestFinished(() => agents[Symbol.asyncDispose]());
  return { ...agents, cwd, path: agents.socket('default') ?? '' };
}

/** Speaks to an agent: one message, one answer, both without their length. */
async function ask(path: string, ...messages: Buffer[]): Promise<Buffer[]> {
  const socket = createConnection(path);
  const answers: Buffer[] = [];
  for (const message of messages) {
    socket.write(text(message));
    answers.push((await next(socket)).subarray(4));
  }
  socket.destroy();
  return answers;
}

function next(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    socket.once('data', (bytes: Buffer) => resolve(bytes));
  });
}

/** An agent that notes what it is asked and answers with the same bytes. */
async function scripted(path: string): Promise<{ asked: Buffer[]; clients: Set<Socket> }> {
  const asked: Buffer[] = [];
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    client.on('data', (bytes: Buffer) => {
      asked.push(bytes.subarray(4));
      client.write(bytes);
    });
  });
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => new Promise((done) => server.close(() => done(undefined))));
  onTestFinished(() => {
    for (const client of clients) client.destroy();
  });
  return { asked, clients };
}

describe('the agent of the user', () => {
  const LIST = Buffer.from([11]);
  const SIGN = Buffer.concat([Buffer.from([13]), text('blob'), text('data'), uint32(0)]);

  test('lists and signs', async () => {
    const cwd = temporaryDirectory();
    const { asked } = await scripted(join(cwd, 'sock'));
    const { path } = await open(['default=sock'], cwd);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await ask(path, LIST, SIGN)).toEqual([LIST, SIGN]);
    expect(asked).toEqual([LIST, SIGN]);
  });

  test('is that of the environment when no other is named', async () => {
    const cwd = temporaryDirectory();
    const { asked } = await scripted(join(cwd, 'own'));
    const { path } = await open(['default'], cwd, { SSH_AUTH_SOCK: join(cwd, 'own') });
    await ask(path, LIST);
    expect(asked).toEqual([LIST]);
  });

  test.each([17, 18, 19, 22, 23, 25, 27, 1])('never sees a request of type %i', async (type) => {
    const cwd = temporaryDirectory();
    const { asked } = await scripted(join(cwd, 'sock'));
    const { path } = await open(['default=sock'], cwd);
    expect(await ask(path, Buffer.from([type, 0, 0, 0, 0]), LIST)).toEqual([Buffer.from([5]), LIST]);
    expect(asked).toEqual([LIST]);
  });

  test('fails like one that cannot sign once it is gone', async () => {
    const cwd = temporaryDirectory();
    const { clients } = await scripted(join(cwd, 'sock'));
    const { path } = await open(['default=sock'], cwd);
    const socket = createConnection(path);
    socket.write(text(LIST));
    await once(socket, 'data');
    for (const client of clients) client.destroy();
    socket.write(text(SIGN));
    expect(await next(socket)).toEqual(text(Buffer.from([5])));
    socket.destroy();
  });

  test('is not bothered with a message that is too long', async () => {
    const cwd = temporaryDirectory();
    const { asked } = await scripted(join(cwd, 'sock'));
    const { path } = await open(['default=sock'], cwd);
    const socket = createConnection(path);
    socket.write(uint32(0x7fffffff));
    await once(socket, 'close');
    expect(asked).toEqual([]);
  });

  test('loses its socket and its connections with the build', async () => {
    const cwd = temporaryDirectory();
    await scripted(join(cwd, 'sock'));
    const agents = await open(['default=sock'], cwd);
    const socket = createConnection(agents.path);
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await agents[Symbol.asyncDispose]();
    await closed;
    expect(existsSync(agents.path)).toBe(false);
  });
});

describe('a key', () => {
  const LINE = 'what is signed\n';

  function keygen(cwd: string, ...options: string[]): void {
    execFileSync('ssh-keygen', ['-q', '-N', '', '-C', 'c', '-f', join(cwd, 'key'), ...options], {
      stdio: 'pipe',
    });
  }

  test.each([
    ['ed25519', []],
    ['rsa', ['-b', '2048']],
    ['ecdsa', ['-b', '256']],
    ['ecdsa', ['-b', '384']],
    ['ecdsa', ['-b', '521']],
    ['rsa', ['-b', '2048', '-m', 'PEM']],
    ['ecdsa', ['-b', '256', '-m', 'PKCS8']],
  ])('of type %s with %j signs what OpenSSH takes', async (type, more) => {
    const cwd = temporaryDirectory();
    keygen(cwd, '-t', type, ...more);
    const { path } = await open(['default=key'], cwd);
    const env = { PATH: process.env['PATH'], SSH_AUTH_SOCK: path };
    // Not blocking: the agent is in this process.
    const run = async (program: string, args: string[], input = ''): Promise<string> => {
      const { spawn } = await import('node:child_process');
      const child = spawn(program, args, { cwd, env });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (piece: Buffer) => (output += String(piece)));
      child.stdin.end(input);
      await once(child, 'close');
      if (child.exitCode !== 0) throw new Error(`${program} failed: ${output}`);
      return output;
    };
    const [algorithm = '', blob = ''] = execFileSync('cat', [join(cwd, 'key.pub')])
      .toString()
      .split(' ');
    expect(await run('ssh-add', ['-L'])).toBe(`${algorithm} ${blob} \n`);
    writeFileSync(join(cwd, 'signers'), `me ${algorithm} ${blob}\n`);
    writeFileSync(join(cwd, 'text'), LINE);
    // With the public key's file alone it is the agent that has to sign.
    writeFileSync(join(cwd, 'public.pub'), `${algorithm} ${blob}\n`);
    await run('ssh-keygen', ['-Y', 'sign', '-n', 'file', '-f', 'public.pub', 'text']);
    const args = ['-Y', 'verify', '-f', 'signers', '-I', 'me', '-n', 'file', '-s', 'text.sig'];
    expect(await run('ssh-keygen', args, LINE)).toMatch(/^Good "file" signature/);
  });

  test('that the agent does not have signs nothing', async () => {
    const cwd = temporaryDirectory();
    keygen(cwd, '-t', 'ed25519');
    const { path } = await open(['default=key'], cwd);
    const request = Buffer.concat([Buffer.from([13]), text('other'), text('data'), uint32(0)]);
    expect(await ask(path, request, Buffer.from([13, 0, 0]))).toEqual([Buffer.from([5]), Buffer.from([5])]);
  });

  test.each([
    ['protected', 'ssh: this private key is passphrase protected'],
    ['pkcs8', 'ssh: this private key is passphrase protected'],
    ['nonsense', 'ssh: no key found'],
    ['x25519', 'ssh: unsupported key type X25519'],
    ['cut', 'ssh: bad key'],
  ])('that is %s is refused', async (name, reason) => {
    const cwd = temporaryDirectory();
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'passphrase', '-f', join(cwd, 'protected')]);
    const { privateKey } = generateKeyPairSync('x25519');
    writeFileSync(join(cwd, 'x25519'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const encryption = { cipher: 'aes-256-cbc', passphrase: 'x' };
    const other = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(
      join(cwd, 'pkcs8'),
      createPrivateKey(other).export({ type: 'pkcs8', format: 'pem', ...encryption }),
    );
    writeFileSync(join(cwd, 'nonsense'), 'nonsense');
    writeFileSync(join(cwd, 'cut'), '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    expect(await refusal(open([`default=${name}`], cwd))).toBe(
      `failed to convert agent config {default [${name}] false}: failed to convert agent config for ID: "default": failed to parse ${name}: ${reason}`,
    );
  });
});

describe('flags that make no sense', () => {
  const START = 'failed to convert agent config';

  test.each([
    [
      ['default'],
      `${START} {default [] false}: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set`,
    ],
    [
      ['default=/none'],
      `${START} {default [/none] false}: ${START} for ID: "default": stat /none: no such file or directory`,
    ],
    [['a=key', 'a=key'], 'duplicate agent ID "a"'],
    [['a=sock,sock'], `${START} {a [sock sock] false}: ${START} for ID: "a": only single socket allowed`],
    [
      ['a=key,sock'],
      `${START} {a [key sock] false}: ${START} for ID: "a": invalid combination of keys and sockets`,
    ],
  ])('%j are refused', async (values, message) => {
    const cwd = temporaryDirectory();
    await scripted(join(cwd, 'sock'));
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(cwd, 'key')]);
    expect(await refusal(open(values, cwd))).toBe(message);
  });
});

test('without flags there is no agent', async () => {
  const agents = await open([]);
  expect(agents.socket('default')).toBeUndefined();
});

test('a place too deep for a socket is left for another one', async () => {
  const cwd = temporaryDirectory();
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(cwd, 'key')]);
  const tempDir = join(cwd, 'd'.repeat(120));
  mkdirSync(tempDir);
  const agents = await openSshAgents(parseSsh(['default=key']), { tempDir, cwd, env: {} });
  const path = agents.socket('default') ?? '';
  expect((await ask(path, Buffer.from([11])))[0]?.[0]).toBe(12);
  await agents[Symbol.asyncDispose]();
  expect(existsSync(path)).toBe(false);
});
