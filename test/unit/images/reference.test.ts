import { expect, test } from 'vitest';

import { canonicalTag, familiarString, parseReference } from '../../../src/images/reference.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

test.each([
  ['alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['alpine:3.20', 'docker.io/library/alpine:3.20', 'alpine:3.20'],
  ['a3s/base', 'docker.io/a3s/base:latest', 'a3s/base:latest'],
  ['docker.io/alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['docker.io/library/alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['index.docker.io/alpine', 'docker.io/library/alpine:latest', 'alpine:latest'],
  ['localhost/bb', 'localhost/bb:latest', 'localhost/bb:latest'],
  ['localhost:5000/bb:v1', 'localhost:5000/bb:v1', 'localhost:5000/bb:v1'],
  ['ghcr.io/x/y/z', 'ghcr.io/x/y/z:latest', 'ghcr.io/x/y/z:latest'],
  ['a__b/c-d.e', 'docker.io/a__b/c-d.e:latest', 'a__b/c-d.e:latest'],
])('%s means %s and is shown as %s', (text, canonical, familiar) => {
  const reference = parseReference(text);
  expect(canonicalTag(reference)).toBe(canonical);
  expect(familiarString(reference)).toBe(familiar);
});

test('a digest takes the place of the tag, and both may be there', () => {
  expect(familiarString(parseReference(`alpine@${DIGEST}`))).toBe(`alpine@${DIGEST}`);
  expect(familiarString(parseReference(`alpine:1@${DIGEST}`))).toBe(`alpine:1@${DIGEST}`);
});

test.each([
  '',
  ':',
  'a:',
  'a:b:c',
  '/a',
  'a/',
  'a//b',
  'a@b',
  'a b',
  '-a',
  'a:-t',
  'a@sha256:12',
  'a'.repeat(250),
])('%j is no reference', (text) => {
  expect(() => parseReference(text)).toThrow('invalid reference format');
});

test('capitals are refused in the words of Docker', () => {
  expect(() => parseReference('Foo')).toThrow(
    'invalid reference format: repository name (library/Foo) must be lowercase',
  );
});

test('a name that looks like an ID is refused', () => {
  const hex = 'a'.repeat(64);
  expect(() => parseReference(hex)).toThrow(
    `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`,
  );
});
