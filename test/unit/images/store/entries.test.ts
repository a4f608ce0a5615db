import { describe, expect, test } from 'vitest';

import type { Descriptor } from '../../../../src/images/config.ts';
import {
  originsIn,
  originsOf,
  repositoryOf,
  withImage,
  withoutImage,
  withoutName,
} from '../../../../src/images/store/entries.ts';
import { nameOf } from '../../../../src/images/store.ts';

const manifest = (digit: string) => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: `sha256:${digit.repeat(64)}`,
  size: 100,
});
const A = manifest('a');
const B = manifest('b');
const X = 'docker.io/library/x:1';
const Y = 'localhost:5000/t/y:2';
const ORIGIN = `localhost:5000/t/y@${A.digest}`;

/** Name and first digit of the digest of each entry. */
const shown = (entries: readonly Descriptor[]): string[] =>
  entries.map((entry) => `${nameOf(entry) ?? '-'} ${entry.digest.slice(7, 8)} ${originsOf(entry).length}`);

describe('an image that is added', () => {
  test('has an entry for each of its names', () => {
    const one = withImage([], { manifest: A, size: 5, name: X });
    const two = withImage(one, { manifest: A, size: 5, name: Y });
    expect(shown(two)).toEqual([`${X} a 0`, `${Y} a 0`]);
    expect(two[0]?.annotations).toEqual({
      'io.containerd.image.name': X,
      'org.opencontainers.image.ref.name': '1',
      'dev.a3s.image.size': '5',
    });
  });

  test('takes its name from another, which stays without one', () => {
    const entries = withImage(withImage([], { manifest: A, size: 5, name: X }), {
      manifest: B,
      size: 6,
      name: X,
    });
    expect(shown(entries)).toEqual(['- a 0', `${X} b 0`]);
  });

  test('takes the place of its entry without a name', () => {
    const entries = withImage(withImage([], { manifest: A, size: 5, name: null }), {
      manifest: A,
      size: 5,
      name: X,
    });
    expect(shown(entries)).toEqual([`${X} a 0`]);
    expect(shown(withImage(entries, { manifest: A, size: 5, name: null }))).toEqual([`${X} a 0`]);
  });

  test('tells where it is from at all its entries', () => {
    const named = withImage([], { manifest: A, size: 5, name: X });
    const pulled = withImage(named, { manifest: A, size: 5, name: Y, origin: ORIGIN });
    expect(shown(pulled)).toEqual([`${X} a 1`, `${Y} a 1`]);
    expect(originsIn(withoutName(pulled, Y), A.digest)).toEqual([ORIGIN]);
  });

  test("takes a registry's digest from another: an index has an image for each platform", () => {
    const first = withImage([], { manifest: A, size: 5, name: Y, origin: ORIGIN });
    const second = withImage(first, { manifest: B, size: 5, name: Y, origin: ORIGIN });
    expect(shown(second)).toEqual(['- a 0', `${Y} b 1`]);
  });

  test('leaves what it was given alone', () => {
    const before = withImage([], { manifest: A, size: 5, name: X });
    const copy = structuredClone(before);
    withImage(before, { manifest: B, size: 5, name: X, origin: ORIGIN });
    expect(before).toEqual(copy);
  });
});

test('a name that is taken away: its image stays, without an entry too many', () => {
  const both = withImage(withImage([], { manifest: A, size: 5, name: X }), { manifest: A, size: 5, name: Y });
  expect(shown(withoutName(both, X))).toEqual([`${Y} a 0`]);
  expect(shown(withoutName(withoutName(both, X), Y))).toEqual(['- a 0']);
  expect(shown(withoutName(both, 'docker.io/library/other:1'))).toEqual(shown(both));
  expect(withoutImage(both, A.digest)).toEqual([]);
});

test.each([
  ['', []],
  [ORIGIN, [ORIGIN]],
  [`${ORIGIN} nonsense x@sha256:12 @${A.digest} Upper@${A.digest}`, [ORIGIN]],
])('origins that make no sense are passed over: %j', (text, origins) => {
  expect(originsOf({ ...A, annotations: { 'dev.a3s.image.repo-digests': text } })).toEqual(origins);
});

test('the repository of a name', () => {
  expect([X, Y, ORIGIN].map(repositoryOf)).toEqual([
    'docker.io/library/x',
    'localhost:5000/t/y',
    'localhost:5000/t/y',
  ]);
});
