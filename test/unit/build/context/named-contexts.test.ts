/** `--build-context`: what a value stands for, and buildx's words for what stands for nothing. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { openNamedContext, parseNamedContexts } from '../../../../src/build/context/named-contexts.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { place, refusal, serve } from './fixture.ts';

const [ONE, TWO] = ['1', '2'].map((digit) => `sha256:${digit.repeat(64)}`);

/** A layout with these images, each by its annotations. */
function layout(images: Record<string, unknown>[]): string {
  const cwd = temporaryDirectory();
  mkdirSync(join(cwd, 'oci'));
  writeFileSync(join(cwd, 'oci/index.json'), JSON.stringify({ schemaVersion: 2, manifests: images }));
  return cwd;
}

describe('a value', () => {
  test.each([
    ['base=docker-image://alpine:3', 'base', { kind: 'image', reference: 'alpine:3' }],
    ['base=docker-image://scratch', 'base', { kind: 'image', reference: 'scratch' }],
    ['x=https://host/x.git#main:sub', 'x', { kind: 'git', url: 'https://host/x.git#main:sub' }],
    ['x=git@host:a/b', 'x', { kind: 'git', url: 'git@host:a/b' }],
    ['x=https://host/x.tar', 'x', { kind: 'url', url: 'https://host/x.tar' }],
    ['docker.io/library/alpine:latest=docker-image://b', 'alpine', { kind: 'image', reference: 'b' }],
    ['alpine:3=docker-image://b', 'alpine:3', { kind: 'image', reference: 'b' }],
  ])('%j is understood', async (value, name, context) => {
    expect(await parseNamedContexts(['', value], '/')).toEqual(new Map([[name, context]]));
  });

  test('may be a directory; the last one of a name counts', async () => {
    const cwd = temporaryDirectory();
    for (const name of ['a', 'b']) mkdirSync(join(cwd, name));
    expect(await parseNamedContexts(['x=a', 'x=./b'], cwd)).toEqual(
      new Map([['x', { kind: 'directory', directory: join(cwd, 'b') }]]),
    );
  });

  test.each([
    ['x', 'invalid context value: x, expected key=value'],
    [
      'UPPER=a',
      'invalid context name UPPER: invalid reference format: repository name (library/UPPER) must be lowercase',
    ],
    ['x=missing', 'failed to get build context x: stat missing: no such file or directory'],
    ['x=file', 'failed to get build context path {file <nil>}: not a directory'],
    ['x=file/y', 'failed to get build context x: stat file/y: not a directory'],
    ['x=http://h/a.git?tag=a&branch=b', 'branch conflicts with tag'],
  ])('%j is refused', async (value, message) => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'file'), '');
    expect(await refusal(parseNamedContexts([value], cwd))).toBe(message);
  });
});

describe('an image layout', () => {
  const named = (name: string, key: string): Record<string, string> => ({ [key]: name });
  const TAG = 'org.opencontainers.image.ref.name';
  const NAME = 'io.containerd.image.name';

  test.each([
    ['oci', [{ digest: ONE }], ONE],
    [
      'oci',
      [
        { digest: ONE, annotations: named('old', TAG) },
        { digest: TWO, annotations: named('latest', TAG) },
      ],
      TWO,
    ],
    [
      'oci:v1',
      [
        { digest: ONE, annotations: named('v1', TAG) },
        { digest: TWO, annotations: named('v1', NAME) },
      ],
      TWO,
    ],
    [`oci@${String(TWO)}`, [], TWO],
    [`oci:v1@${String(TWO)}`, [], TWO],
  ])('%j names an image of it', async (path, images, digest) => {
    const cwd = layout(images);
    expect(await parseNamedContexts([`x=oci-layout://${path}`], cwd)).toEqual(
      new Map([['x', { kind: 'oci-layout', directory: join(cwd, 'oci'), digest }]]),
    );
  });

  test.each([
    ['none', 'could not read none/index.json'],
    ['oci:v3', 'failed to resolve digest'],
  ])('%j is refused', async (path, reason) => {
    const cwd = layout([{ digest: ONE }, { digest: TWO }]);
    expect(await refusal(parseNamedContexts([`x=oci-layout://${path}`], cwd))).toBe(
      `oci-layout reference "oci-layout://${path}" could not be resolved: ${reason}`,
    );
  });

  test('with a digest that is none is refused', async () => {
    const cwd = layout([{ digest: '../../etc/passwd' }]);
    expect(await refusal(parseNamedContexts(['x=oci-layout://oci'], cwd))).toMatch(
      /could not be resolved: invalid digest "..\/..\/etc\/passwd"$/,
    );
  });
});

test('a directory is opened with its own rules', async () => {
  const options = place();
  writeFileSync(join(options.cwd, '.dockerignore'), 'a\n');
  await using source = await openNamedContext({ kind: 'directory', directory: options.cwd }, options);
  expect(source).toMatchObject({ directory: options.cwd, ignorePatterns: ['a'] });
});

test('a URL is one file, whatever is in it', async () => {
  const options = place();
  const url = await serve((_request, answer) => answer.end(Buffer.alloc(1024)));
  await using source = await openNamedContext({ kind: 'url', url }, options);
  expect(readdirSync(source.directory)).toEqual(['context']);
});
