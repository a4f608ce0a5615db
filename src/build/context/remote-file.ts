/** A file for ADD from a URL (BuildKit, source/http). */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { A3sError } from '../../errors.ts';
import { openUrl, type UrlAnswer } from '../../images/registry/fetch-url.ts';
import { counting } from './counting.ts';
import type { RemoteFile, SourceOptions } from './types.ts';

/** What it is called when neither the server nor the URL says a name. */
const NAMELESS = 'download';
const SHA256 = 'sha256';

/**
 * Downloads a file.
 * @param options `checksum`: `sha256:…`, also of SHA-384 or SHA-512; empty to take what comes
 * @throws A3sError in BuildKit's words: `invalid response status 404`, `digest mismatch …`
 */
export async function fetchRemoteFile(
  url: string,
  options: SourceOptions & { checksum: string },
): Promise<RemoteFile> {
  const { tempDir, checksum, signal } = options;
  const answer = await openSource(url, options);
  const directory = await mkdtemp(join(tempDir, 'download-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const path = join(directory, 'file');
    const [algorithm = SHA256] = checksum === '' ? [SHA256] : checksum.split(':');
    const hashes = new Map([SHA256, algorithm].map((name) => [name, createHash(name)]));
    let size = 0;
    await pipeline(
      answer.content,
      counting((bytes) => {
        size = bytes;
        options.received?.(bytes);
      }),
      async function* hash(source: AsyncIterable<Buffer>) {
        for await (const piece of source) {
          for (const hash of hashes.values()) hash.update(piece);
          yield piece;
        }
      },
      createWriteStream(path, { mode: 0o600 }),
      { signal },
    );
    const digests = new Map([...hashes].map(([name, hash]) => [name, `${name}:${hash.digest('hex')}`]));
    const proved = digests.get(algorithm) ?? '';
    if (checksum !== '' && proved !== checksum) {
      throw new A3sError('invalid_config', `digest mismatch ${proved}: ${checksum}`);
    }
    const name = fileNameOf(answer, url);
    const digest = digests.get(SHA256) ?? '';
    return { path, name, size, digest, mtime: modifiedOf(answer), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw signal.aborted ? signal.reason : error;
  }
}

/** @throws A3sError; `HTTP_AUTH_HEADER_host` and `HTTP_AUTH_TOKEN_host` of the build's secrets are sent to the URL's host. */
export async function openSource(url: string, { env, signal, secret }: SourceOptions): Promise<UrlAnswer> {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  const header = await secret?.(`HTTP_AUTH_HEADER_${host}`);
  const token = header === undefined ? await secret?.(`HTTP_AUTH_TOKEN_${host}`) : undefined;
  const authorization =
    header?.toString() ?? (token === undefined ? undefined : `Bearer ${token.toString()}`);
  return openUrl(url, {
    env,
    signal,
    ...(authorization === undefined ? {} : { authorization }),
    refused: (status) =>
      new A3sError(
        status === 404 ? 'not_in_registry' : 'registry_refused',
        `invalid response status ${status}`,
      ),
  });
}

/** Seconds since 1970. */
export function modifiedOf({ headers }: UrlAnswer): number | null {
  const time = Date.parse(headers['last-modified'] ?? '');
  return Number.isNaN(time) ? null : Math.floor(time / 1000);
}

function fileNameOf({ headers }: UrlAnswer, url: string): string {
  const named = dispositionName(headers['content-disposition'] ?? '');
  if (named !== '' && !named.endsWith('/')) return safeName(named);
  const { pathname } = new URL(url);
  return safeName(unescaped(pathname));
}

/** The file name in a Content-Disposition header (RFC 6266); the extended form wins. */
function dispositionName(header: string): string {
  const [, extended] = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(header) ?? [];
  if (extended !== undefined) return unescaped(extended);
  const [, quoted, plain] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(header) ?? [];
  return plain ?? (quoted ?? '').replaceAll(/\\(.)/g, '$1');
}

/** The server's word must not lead anywhere. */
function safeName(path: string): string {
  const name = posix.basename(path.trim());
  const isName = name !== '' && name !== '.' && name !== '..' && !/\p{Cc}/u.test(name);
  return isName ? name : NAMELESS;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
