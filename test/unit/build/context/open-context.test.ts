/** Where the context and the Dockerfile come from, and what buildx says when they do not. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';

import { openBuildContext } from '../../../../src/build/context/open-context.ts';
import { END, tarEntries } from '../../../e2e/fixture/layer.ts';
import { place, refusal, request, serve } from './fixture.ts';

const DOCKERFILE = 'FROM scratch\n';

/** A context directory of these files. */
function directory(cwd: string, files: Record<string, string>): string {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(cwd, 'ctx', name, '..'), { recursive: true });
    writeFileSync(join(cwd, 'ctx', name), content);
  }
  return join(cwd, 'ctx');
}

function tar(files: Record<string, string>): Buffer {
  return Buffer.concat([
    tarEntries(Object.entries(files).map(([path, content]) => ({ path, content }))),
    END,
  ]);
}

describe('a directory', () => {
  test('is used where it is', async () => {
    const options = place();
    const path = directory(options.cwd, {
      Dockerfile: DOCKERFILE,
      '.dockerignore': '# no\n*.log\n!/a.log\n',
    });
    await using opened = await openBuildContext(request('ctx'), options);
    expect(opened).toMatchObject({
      kind: 'directory',
      directory: path,
      ignorePatterns: ['*.log', '!a.log'],
      ignoreFile: '.dockerignore',
      transferred: 0,
      dockerfile: { name: 'Dockerfile', text: Buffer.from(DOCKERFILE) },
    });
    expect(options.left()).toEqual([]);
  });

  test('may have its Dockerfile under a name in lower case', async () => {
    const options = place();
    directory(options.cwd, { dockerfile: DOCKERFILE });
    await using opened = await openBuildContext(request('ctx'), options);
    expect(opened.dockerfile.name).toBe('dockerfile');
  });

  test('may have its Dockerfile anywhere, relative to where the command runs', async () => {
    const options = place();
    directory(options.cwd, { '.dockerignore': 'a' });
    mkdirSync(join(options.cwd, 'other'));
    writeFileSync(join(options.cwd, 'other/Build'), DOCKERFILE);
    writeFileSync(join(options.cwd, 'other/Build.dockerignore'), 'b');
    await using opened = await openBuildContext(request('ctx', 'other/Build'), options);
    expect(opened).toMatchObject({
      ignorePatterns: ['b'],
      ignoreFile: 'Build.dockerignore',
      dockerfile: { name: 'Build' },
    });
  });

  test('may have its Dockerfile on the standard input', async () => {
    const options = place();
    directory(options.cwd, { Dockerfile: 'not this', '.dockerignore': 'a' });
    await using opened = await openBuildContext(request('ctx', '-', DOCKERFILE), options);
    expect(opened).toMatchObject({
      ignorePatterns: ['a'],
      dockerfile: { name: 'Dockerfile', text: Buffer.from(DOCKERFILE) },
    });
  });

  test('may have its Dockerfile at a URL', async () => {
    const options = place();
    directory(options.cwd, {});
    mkdirSync(join(options.cwd, 'ctx'), { recursive: true });
    const url = await serve((_request, answer) => answer.end(DOCKERFILE));
    await using opened = await openBuildContext(request('ctx', `${url}/x`), options);
    expect(opened.dockerfile).toEqual({ name: 'Dockerfile', text: Buffer.from(DOCKERFILE) });
    const large = await serve((_request, answer) => answer.end(Buffer.alloc(2 * 1024 ** 2 + 1)));
    expect(await refusal(openBuildContext(request('ctx', `${large}/big`), options))).toBe(
      'failed to read dockerfile: read big: larger than 2 MiB',
    );
  });

  test.each([
    ['missing', undefined, 'unable to prepare context: path "missing" not found'],
    ['ctx/file', undefined, 'unable to prepare context: path "ctx/file" not found'],
    ['', undefined, 'please specify build context (e.g. "." for the current directory)'],
    ['ctx', undefined, 'failed to read dockerfile: open Dockerfile: no such file or directory'],
    ['ctx', 'none', 'failed to read dockerfile: open none: no such file or directory'],
    ['ctx', 'a/b/none', 'resolve : lstat a: no such file or directory'],
    ['ctx', '/nowhere/none', 'resolve : lstat /nowhere: no such file or directory'],
    ['ctx', 'ctx/file/none', 'resolve : lstat ctx/file: not a directory'],
    ['ctx', 'ctx', 'failed to read dockerfile: read ctx: is a directory'],
    ['ctx', 'pipe', 'failed to read dockerfile: read pipe: not a regular file'],
    ['ctx', '/dev/zero', 'failed to read dockerfile: read zero: not a regular file'],
    ['ctx', 'out', 'failed to read dockerfile: open out: no such file or directory'],
    ['ctx', 'huge', 'failed to read dockerfile: read huge: larger than 16 MiB'],
  ])('%j with the file %j is refused', async (context, file, message) => {
    const options = place();
    directory(options.cwd, { file: '' });
    execFileSync('mkfifo', [join(options.cwd, 'pipe')]);
    symlinkSync('/etc/hostname', join(options.cwd, 'out'));
    writeFileSync(join(options.cwd, 'huge'), Buffer.alloc(16 * 1024 ** 2 + 1));
    expect(await refusal(openBuildContext(request(context, file), options))).toBe(message);
    expect(options.left()).toEqual([]);
  });
});

describe('the standard input', () => {
  test.each([
    ['a tar', (bytes: Buffer) => bytes],
    ['a compressed tar', (bytes: Buffer) => gzipSync(bytes)],
  ])('may be %s', async (_what, pack) => {
    const options = place();
    const bytes = pack(tar({ Dockerfile: DOCKERFILE, 'sub/a': 'a', '.dockerignore': 'sub' }));
    await using opened = await openBuildContext(request('-', undefined, bytes), options);
    expect(opened).toMatchObject({
      kind: 'archive',
      ignorePatterns: [],
      transferred: bytes.length,
      dockerfile: { name: 'Dockerfile', text: Buffer.from(DOCKERFILE) },
    });
    expect(readFileSync(join(opened.directory, 'sub/a'), 'utf8')).toBe('a');
  });

  test('may be a tar with the Dockerfile in a directory of it', async () => {
    const options = place();
    const bytes = tar({ 'build/Dockerfile.x': DOCKERFILE });
    {
      await using opened = await openBuildContext(request('-', 'build/Dockerfile.x', bytes), options);
      expect(opened.dockerfile.name).toBe('build/Dockerfile.x');
      expect(options.left()).toHaveLength(1);
    }
    expect(options.left()).toEqual([]);
  });

  test('may be a Dockerfile, which has an empty context then', async () => {
    const options = place();
    const text = `${DOCKERFILE}${'# comment\n'.repeat(500)}`;
    await using opened = await openBuildContext(request('-', undefined, text), options);
    expect(opened).toMatchObject({ kind: 'dockerfile', dockerfile: { text: Buffer.from(text) } });
    expect(readdirSync(opened.directory)).toEqual([]);
  });

  test.each([
    ['-', DOCKERFILE, "invalid argument: can't use stdin for both build context and dockerfile"],
    ['x', DOCKERFILE, 'ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles'],
    [undefined, '', 'failed to read dockerfile: open Dockerfile: no such file or directory'],
    ['x', tar({ Dockerfile: '' }), 'failed to read dockerfile: open x: no such file or directory'],
    [
      '../../../etc/hostname',
      tar({ a: '' }),
      /^failed to read dockerfile: open .*: no such file or directory$/,
    ],
  ])('is refused with the file %j', async (file, stdin, message) => {
    const options = place();
    expect(await refusal(openBuildContext(request('-', file, stdin), options))).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
    expect(options.left()).toEqual([]);
  });

  test('is given up with the build', async () => {
    const controller = new AbortController();
    const options = place({ signal: controller.signal });
    async function* silent(): AsyncGenerator<Buffer> {
      yield Buffer.from('FROM');
      setImmediate(() => controller.abort(new Error('given up')));
      await new Promise(() => undefined);
    }
    const work = openBuildContext({ context: '-', file: undefined, stdin: silent() }, options);
    expect(await refusal(work)).toBe('given up');
  });
});

describe('a URL', () => {
  test('is no way to a directory of this host', async () => {
    const options = place();
    directory(options.cwd, { Dockerfile: DOCKERFILE });
    const asked = request('http://127.0.0.1:1/a/../../../ctx');
    expect(await refusal(openBuildContext(asked, options))).toMatch(/127\.0\.0\.1:1/);
  });

  test('may be an archive, in which the Dockerfile is', async () => {
    const options = place();
    const bytes = gzipSync(tar({ 'sub/Dockerfile': DOCKERFILE }));
    const url = await serve((_request, answer) => {
      answer.setHeader('last-modified', 'Thu, 01 Jan 1970 01:00:00 GMT').end(bytes);
    });
    await using opened = await openBuildContext(request(`${url}/context`, 'sub/Dockerfile'), options);
    expect(opened).toMatchObject({
      kind: 'archive',
      transferred: bytes.length,
      modified: 3600,
      dockerfile: { name: 'sub/Dockerfile', text: Buffer.from(DOCKERFILE) },
    });
  });

  test('may be a Dockerfile, which is all of its context', async () => {
    const options = place();
    const url = await serve((_request, answer) => answer.end(DOCKERFILE));
    await using opened = await openBuildContext(request(`${url}/Dockerfile`), options);
    expect(opened).toMatchObject({
      kind: 'url',
      dockerfile: { name: 'context', text: Buffer.from(DOCKERFILE) },
    });
    expect(readdirSync(opened.directory)).toEqual(['context']);
  });

  test('may have its Dockerfile among the files of the host', async () => {
    const options = place();
    const file = join(options.cwd, 'Own');
    writeFileSync(file, DOCKERFILE);
    const url = await serve((_request, answer) => answer.end('text'));
    await using opened = await openBuildContext(request(`${url}/x`, file), options);
    expect(opened.dockerfile).toEqual({ name: 'Own', text: Buffer.from(DOCKERFILE) });
  });

  test('is refused by what its server answers, and leaves nothing behind', async () => {
    const options = place();
    const url = await serve((_request, answer) => {
      answer.statusCode = 404;
      answer.end();
    });
    expect(await refusal(openBuildContext(request(`${url}/x`), options))).toBe('invalid response status 404');
    const broken = await serve((_request, answer) => {
      answer.setHeader('content-length', '5000').write(tar({ a: 'a' }).subarray(0, 900));
      setImmediate(() => answer.destroy());
    });
    expect(await refusal(openBuildContext(request(`${broken}/x`), options))).toMatch(
      /unexpected EOF|connection reset/,
    );
    expect(options.left()).toEqual([]);
    expect(existsSync(options.tempDir)).toBe(true);
  });
});
