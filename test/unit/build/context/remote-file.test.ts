/** Files of ADD from a server: their names, times and checksums, and what the server must not do. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { fetchRemoteFile } from '../../../../src/build/context/remote-file.ts';
import { A3sError } from '../../../../src/errors.ts';
import type { RemoteFile } from '../../../../src/build/context/types.ts';
import { place, refusal, serve } from './fixture.ts';

type Options = Parameters<typeof fetchRemoteFile>[1] & { left: () => string[] };

function options(overrides: Partial<Options> = {}): Options {
  return { ...place(overrides), checksum: '', ...overrides };
}

function sum(algorithm: string, content: string): string {
  return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`;
}

test('a file is downloaded with what its server says of it', async () => {
  const url = await serve((_request, answer) => {
    answer.setHeader('last-modified', 'Thu, 01 Jan 1970 00:01:40 GMT').end('content');
  });
  const counts: number[] = [];
  const settings = options({ received: (bytes) => counts.push(bytes) });
  {
    await using file = await fetchRemoteFile(`${url}/dir/a%20b.tgz?x=1#y`, settings);
    expect(file).toMatchObject({ name: 'a b.tgz', size: 7, mtime: 100, digest: sum('sha256', 'content') });
    expect(readFileSync(file.path, 'utf8')).toBe('content');
    expect(counts.at(-1)).toBe(7);
  }
  expect(settings.left()).toEqual([]);
});

describe('the name', () => {
  test.each([
    ['/', undefined, 'download'],
    ['/..%2f..%2fetc', undefined, 'etc'],
    ['/a/b/', undefined, 'b'],
    ['/%2e%2e', undefined, 'download'],
    ['/x', 'attachment; filename="named.tar"', 'named.tar'],
    ['/x', 'attachment; filename=plain.tar', 'plain.tar'],
    ['/x', 'attachment; filename="fallback"; filename*=UTF-8\'\'%c3%a4.txt', 'ä.txt'],
    ['/x', 'attachment; filename="../../etc/passwd"', 'passwd'],
    ['/x', 'attachment; filename="dir/"', 'x'],
    ['/x', 'attachment; filename=".."', 'download'],
    ['/x', 'inline', 'x'],
  ])('of %j with %j is %j', async (path, disposition, name) => {
    const url = await serve((_request, answer) => {
      if (disposition !== undefined) answer.setHeader('content-disposition', disposition);
      answer.end('');
    });
    await using file = await fetchRemoteFile(`${url}${path}`, options());
    expect(file.name).toBe(name);
    expect(file.mtime).toBeNull();
  });
});

describe('a checksum', () => {
  test.each(['sha256', 'sha384', 'sha512'])('of %s is proved', async (algorithm) => {
    const url = await serve((_request, answer) => answer.end('content'));
    const settings = options({ checksum: sum(algorithm, 'content') });
    await using file: RemoteFile = await fetchRemoteFile(`${url}/x`, settings);
    expect(file.digest).toBe(sum('sha256', 'content'));
    const other = options({ checksum: sum(algorithm, 'other') });
    expect(await refusal(fetchRemoteFile(`${url}/x`, other))).toBe(
      `digest mismatch ${sum(algorithm, 'content')}: ${sum(algorithm, 'other')}`,
    );
    expect(other.left()).toEqual([]);
  });
});

describe('the server', () => {
  test('is followed to another one, which learns no secret', async () => {
    const asked: (string | undefined)[] = [];
    const target = await serve((request, answer) => {
      asked.push(request.headers.authorization);
      answer.end('there');
    });
    const url = await serve((request, answer) => {
      asked.push(request.headers.authorization);
      answer.writeHead(302, { location: `${target}/there` }).end();
    });
    await using file = await fetchRemoteFile(url.replace('://', '://user:secret@'), options());
    expect(readFileSync(file.path, 'utf8')).toBe('there');
    expect(asked).toEqual([`Basic ${Buffer.from('user:secret').toString('base64')}`, undefined]);
  });

  test.each([
    [{ HTTP_AUTH_TOKEN_HOST: 'token' }, 'Bearer token'],
    [{ HTTP_AUTH_HEADER_HOST: 'Basic abc', HTTP_AUTH_TOKEN_HOST: 'token' }, 'Basic abc'],
  ])('gets %j of the build', async (secrets, header) => {
    let asked: string | undefined;
    const url = await serve((request, answer) => {
      asked = request.headers.authorization;
      answer.end('');
    });
    const known = new Map(
      Object.entries(secrets).map(([id, value]) => [id.replace('HOST', '127.0.0.1'), Buffer.from(value)]),
    );
    await using file = await fetchRemoteFile(`${url}/x`, options({ secret: async (id) => known.get(id) }));
    expect(file.size).toBe(0);
    expect(asked).toBe(header);
  });

  test('that refuses, sends in circles, breaks off or is not there is told', async () => {
    const refusing = await serve((_request, answer) => answer.writeHead(503).end());
    expect(await refusal(fetchRemoteFile(`${refusing}/x`, options()))).toBe('invalid response status 503');
    const circling = await serve((_request, answer) => answer.writeHead(302, { location: '/x' }).end());
    expect(await refusal(fetchRemoteFile(`${circling}/x`, options()))).toBe(
      `cannot download ${circling}/x: it is redirected without end`,
    );
    const leaving = await serve((_request, answer) =>
      answer.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    );
    expect(await refusal(fetchRemoteFile(`${leaving}/x`, options()))).toBe(
      `cannot download ${leaving}/x: it is redirected without end`,
    );
    const settings = options();
    const breaking = await serve((_request, answer) => {
      answer.writeHead(200, { 'content-length': '100' }).write('begin');
      setImmediate(() => answer.destroy());
    });
    expect(await refusal(fetchRemoteFile(`${breaking}/x`, settings))).toMatch(
      /^Get "http:.*": (?:unexpected EOF|connection reset by peer)$/,
    );
    expect(settings.left()).toEqual([]);
    await expect(fetchRemoteFile('http://127.0.0.1:1/x', options())).rejects.toEqual(
      new A3sError(
        'registry_unreachable',
        'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
      ),
    );
  });

  test('that never ends is given up with the build', async () => {
    const controller = new AbortController();
    const url = await serve((_request, answer) => {
      answer.write('begin');
      setImmediate(() => controller.abort(new Error('given up')));
    });
    const settings = options({ signal: controller.signal });
    expect(await refusal(fetchRemoteFile(`${url}/x`, settings))).toBe('given up');
    expect(settings.left()).toEqual([]);
  });
});
