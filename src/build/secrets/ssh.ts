/** `--ssh` (buildx, util/buildflags/ssh.go; BuildKit, session/sshforward/sshprovider). */
import { once } from 'node:events';
import { chmod, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { A3sError, hasErrno } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import { type AgentAnswer, forwardedAgent, keyAgent, serve } from './ssh-agent.ts';
import { parsePrivateKey } from './ssh-key.ts';

const DEFAULT_ID = 'default';
const MAX_KEY_BYTES = 100 * 1024;
/** Linux, unix(7): the longest path of a socket. */
const MAX_SOCKET_PATH = 107;

export interface SshSource {
  /** `default` when it was left out. */
  id: string;
  /** One socket, or key files; none: `SSH_AUTH_SOCK`. */
  paths: string[];
}

/** @param values `default`, or `id=socket`, or `id=key,key` */
export function parseSsh(values: readonly string[]): SshSource[] {
  return values
    .filter((value) => value !== '')
    .map((value) => {
      const equals = value.indexOf('=');
      const id = equals < 0 ? value : value.slice(0, equals);
      const paths = equals < 0 ? [] : value.slice(equals + 1).split(',');
      return { id: id === '' ? DEFAULT_ID : id, paths };
    });
}

/** Agents that sign and list keys and do nothing else, each at a socket of its own. */
export interface SshAgents extends AsyncDisposable {
  /** Path of the socket on the host; undefined for an ID that was not given. */
  socket(id: string): string | undefined;
}

/** What a source is: a connection to it gives answers until it is closed. */
type Connect = () => { answer: AgentAnswer; close: () => void };

/**
 * @param options `tempDir`: the sockets are made there, mode 0600
 * @throws A3sError in BuildKit's words for a socket or a key that cannot be used
 */
export async function openSshAgents(
  sources: readonly SshSource[],
  options: { tempDir: string; cwd: string; env: NodeJS.ProcessEnv },
): Promise<SshAgents> {
  const connects = new Map<string, Connect>();
  for (const source of sources) {
    const { id, paths } = source;
    if (connects.has(id)) throw invalid(`duplicate agent ID ${goQuote(id)}`);
    try {
      connects.set(id, await connectTo(source, options));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new A3sError(
        'invalid_config',
        `failed to convert agent config {${id} [${paths.join(' ')}] false}: ${reason}`,
        { cause: error },
      );
    }
  }
  if (connects.size === 0) {
    return { socket: () => undefined, [Symbol.asyncDispose]: async () => undefined };
  }
  const directory = await socketDirectory(options.tempDir);
  const sockets = new Map<string, string>();
  const servers: AsyncDisposable[] = [];
  const close = async (): Promise<void> => {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    for (const [id, connect] of connects) {
      const path = join(directory, String(sockets.size));
      servers.push(await listen(path, connect));
      sockets.set(id, path);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { socket: (id) => sockets.get(id), [Symbol.asyncDispose]: close };
}

async function connectTo(
  { id, paths }: SshSource,
  { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Connect> {
  const named = paths.length === 0 || (paths.length === 1 && paths[0] === '');
  const used = named ? [env['SSH_AUTH_SOCK'] ?? ''] : paths;
  if (used[0] === '') {
    throw new Error('invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set');
  }
  try {
    return await connectToPaths(used, cwd);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`failed to convert agent config for ID: ${goQuote(id)}: ${reason}`, { cause: error });
  }
}

async function connectToPaths(paths: readonly string[], cwd: string): Promise<Connect> {
  let socket: string | undefined;
  const keys: Parameters<typeof keyAgent>[0][number][] = [];
  for (const shown of paths) {
    if (socket !== undefined) throw new Error('only single socket allowed');
    const path = resolve(cwd, shown);
    const there = await stat(path).catch((error: unknown) => {
      throw new Error(`stat ${shown}: ${wordsOf(error)}`, { cause: error });
    });
    if (there.isSocket()) socket = path;
    else keys.push({ key: await readKey(path, shown), comment: '' });
  }
  if (socket === undefined) {
    const answer = keyAgent(keys);
    return () => ({ answer, close: () => undefined });
  }
  if (keys.length > 0) throw new Error('invalid combination of keys and sockets');
  const path = socket;
  return () => forwardedAgent(path);
}

async function readKey(path: string, shown: string): Promise<ReturnType<typeof parsePrivateKey>> {
  const bytes = await firstBytes(path).catch((error: unknown) => {
    throw new Error(`failed to open ${shown}: open ${shown}: ${wordsOf(error)}`, { cause: error });
  });
  try {
    return parsePrivateKey(bytes);
  } catch (error) {
    // What the parser says may hold parts of the key.
    const reason =
      error instanceof Error && error.message.startsWith('ssh: ') ? error.message : 'ssh: bad key';
    throw new Error(`failed to parse ${shown}: ${reason}`, { cause: error });
  }
}

async function firstBytes(path: string): Promise<Buffer> {
  await using file = await open(path);
  const bytes = Buffer.alloc(MAX_KEY_BYTES);
  const { bytesRead } = await file.read(bytes, 0, MAX_KEY_BYTES, 0);
  return bytes.subarray(0, bytesRead);
}

async function listen(path: string, connect: Connect): Promise<AsyncDisposable> {
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    const { answer, close } = connect();
    void serve(client, answer).finally(() => {
      clients.delete(client);
      client.destroy();
      close();
    });
  });
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** In the build's own place, unless that is too far down for a socket. */
async function socketDirectory(tempDir: string): Promise<string> {
  const directory = await mkdtemp(join(tempDir, 'ssh-'));
  if (Buffer.byteLength(directory) + 4 <= MAX_SOCKET_PATH) return directory;
  await rm(directory, { recursive: true });
  return mkdtemp(join(tmpdir(), 'a3s-ssh-'));
}

function wordsOf(error: unknown): string {
  if (hasErrno(error, 'ENOENT')) return 'no such file or directory';
  if (hasErrno(error, 'EACCES')) return 'permission denied';
  if (hasErrno(error, 'ENOTDIR')) return 'not a directory';
  return error instanceof Error ? error.message : String(error);
}

function invalid(message: string): A3sError {
  return new A3sError('invalid_config', message);
}
