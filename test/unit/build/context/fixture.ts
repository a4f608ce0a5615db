/** Options and servers that the tests of contexts share. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

import type { ContextRequest, SourceOptions } from '../../../../src/build/context/types.ts';
import { temporaryDirectory } from '../../../temporary.ts';

/** A place with an empty temporary directory of the build in it. */
export function place(overrides: Partial<SourceOptions> = {}): SourceOptions & { left: () => string[] } {
  const cwd = temporaryDirectory();
  const tempDir = join(cwd, '.build');
  mkdirSync(tempDir);
  const { signal } = new AbortController();
  return {
    tempDir,
    cwd,
    env: { PATH: process.env['PATH'] },
    signal,
    left: () => readdirSync(tempDir),
    ...overrides,
  };
}

export function request(context: string, file?: string, stdin: Buffer | string = ''): ContextRequest {
  return { context, file, stdin: pieces(Buffer.from(stdin)) };
}

/** Small ones, so that nothing depends on where they end. */
export async function* pieces(bytes: Buffer, length = 700): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

/** The address of a server on the loopback that lives as long as the test. */
export async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

/** What a failing call is refused with. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('it was not refused');
}
