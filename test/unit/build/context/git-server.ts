/** Repositories of a test, served on the loopback as the world serves them. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

import { temporaryDirectory } from '../../../temporary.ts';
import { serve } from './fixture.ts';

const AUTHOR = { name: 'A', email: 'a@example.com', date: '1600000000 +0000' };

export class Repository {
  /** The bare repository is in it: `repo.git`. */
  readonly root: string;
  readonly work: string;

  constructor() {
    this.root = temporaryDirectory();
    this.work = join(this.root, 'work');
    mkdirSync(this.work);
    this.git('init', '--quiet', '--initial-branch=trunk');
  }

  git(...args: string[]): string {
    const environment = Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((role) => [
        [`GIT_${role}_NAME`, AUTHOR.name],
        [`GIT_${role}_EMAIL`, AUTHOR.email],
        [`GIT_${role}_DATE`, AUTHOR.date],
      ]),
    );
    const env = { PATH: process.env['PATH'], HOME: this.root, GIT_CONFIG_NOSYSTEM: '1', ...environment };
    return execFileSync('git', args, { cwd: this.work, env, stdio: 'pipe' }).toString().trim();
  }

  /** @returns the hash */
  commit(files: Record<string, string>): string {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.work, name)), { recursive: true });
      writeFileSync(join(this.work, name), content);
    }
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '-m', 'commit');
    return this.git('rev-parse', 'HEAD');
  }

  /** Brings everything to where it is served from. */
  publish(name = 'repo.git'): void {
    this.git('push', '--quiet', '--mirror', this.bare(name));
  }

  bare(name: string): string {
    const path = join(this.root, name);
    try {
      execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=trunk', path], { stdio: 'pipe' });
    } catch (error) {
      throw new Error(`git init failed: ${String(error)}`, { cause: error });
    }
    return path;
  }
}

export interface Asked {
  url: string;
  authorization: string | undefined;
}

/** Serves by git's own CGI program; `asked` collects the requests. */
export async function serveHttp(root: string, asked: Asked[] = [], password?: string): Promise<string> {
  const answer: RequestListener = (request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const { authorization } = request.headers;
    asked.push({ url: url.pathname, authorization });
    if (password !== undefined && authorization !== password) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return;
    }
    const child = spawn('git', ['http-backend'], {
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        HOME: root,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
    });
    request.pipe(child.stdin);
    child.stdin.on('error', () => undefined);
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.on('close', () => {
      const bytes = Buffer.concat(pieces);
      const end = bytes.indexOf('\r\n\r\n');
      for (const line of bytes.subarray(0, Math.max(0, end)).toString().split('\r\n')) {
        const [name = '', value = ''] = line.split(': ');
        if (name === 'Status') response.statusCode = Number(value.split(' ')[0]);
        else if (name !== '') response.setHeader(name, value);
      }
      response.end(bytes.subarray(end + 4));
    });
  };
  return serve(answer);
}

/** Serves by `git daemon`, one for each connection. */
export async function serveDaemon(root: string): Promise<string> {
  const words = ['daemon', '--inetd', '--export-all', `--base-path=${root}`];
  const server = createServer((socket) => {
    const child = spawn('git', words, {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], HOME: root },
    });
    socket.on('error', () => child.kill('SIGKILL'));
    child.stdin.on('error', () => undefined);
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `git://127.0.0.1:${address.port}`;
}
