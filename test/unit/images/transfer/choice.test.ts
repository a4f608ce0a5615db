import { describe, expect, test } from 'vitest';

import { chooseManifest, imageManifest, isIndex, MediaType } from '../../../../src/images/manifest.ts';
import { fits, parsePlatform, platformString } from '../../../../src/images/platform.ts';

const digestOf = (digit: string): string => `sha256:${digit.repeat(64)}`;
const offer = (digit: string, platform?: object, annotations?: object) => ({
  mediaType: MediaType.ociManifest,
  digest: digestOf(digit),
  size: 10,
  ...(platform === undefined ? {} : { platform }),
  ...(annotations === undefined ? {} : { annotations }),
});
const AMD = offer('a', { os: 'linux', architecture: 'amd64' });
const ARM6 = offer('6', { os: 'linux', architecture: 'arm', variant: 'v6' });
const ARM7 = offer('7', { os: 'linux', architecture: 'arm', variant: 'v7' });
const ARM64 = offer('8', { os: 'linux', architecture: 'arm64', variant: 'v8' });
const WINDOWS = offer('f', { os: 'windows', architecture: 'amd64', 'os.version': '10' });
const ATTESTATION = offer(
  'e',
  { os: 'unknown', architecture: 'unknown' },
  { 'vnd.docker.reference.type': 'attestation-manifest' },
);

describe('a platform', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['LINUX/X86_64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['windows/amd64', 'windows/amd64'],
    ['i386', 'linux/386'],
  ])('%s means %s', (text, meaning) => {
    expect(platformString(parsePlatform(text))).toBe(meaning);
  });

  test.each([
    '',
    'nonsense',
    'a/b/c/d',
    'linux/',
    'linux/a b',
    'linux/amd64/',
    '__proto__',
    'linux/\u001b[1m',
  ])('%j is none', (text) => {
    expect(() => parsePlatform(text)).toThrow('unknown operating system or architecture: invalid argument');
  });

  test('one without a variant fits any', () => {
    const [arm, arm6, arm7] = ['linux/arm', 'linux/arm/v6', 'linux/arm/v7'].map((text) =>
      parsePlatform(text),
    );
    if (arm === undefined || arm6 === undefined || arm7 === undefined) throw new Error('no platforms');
    expect([fits(arm6, arm), fits(arm, arm6), fits(arm6, arm7)]).toEqual([true, true, false]);
  });
});

describe('of an index', () => {
  const manifests = [ATTESTATION, WINDOWS, ARM6, ARM7, ARM64, AMD];

  test.each([
    ['linux/amd64', 'a'],
    ['linux/arm/v7', '7'],
    ['linux/arm', '6'],
    ['linux/arm64', '8'],
    ['windows/amd64', 'f'],
  ])('%s gets its image', (platform, digit) => {
    expect(chooseManifest({ manifests }, parsePlatform(platform), 'x').digest).toBe(digestOf(digit));
  });

  test('an image without a platform is for any', () => {
    expect(chooseManifest({ manifests: [offer('1')] }, parsePlatform('linux/s390x'), 'x').digest).toBe(
      digestOf('1'),
    );
  });

  test('a platform that it lacks is refused with those that it has', () => {
    expect(() => chooseManifest({ manifests }, parsePlatform('linux/s390x'), 'x:1')).toThrow(
      expect.objectContaining({
        code: 'no_such_image',
        message: 'no matching manifest for linux/s390x in the manifest list entries',
        hint: 'x:1 is there for: windows/amd64, linux/arm/v6, linux/arm/v7, linux/arm64, linux/amd64',
      }),
    );
    expect(() => chooseManifest({ manifests: [] }, parsePlatform('linux/s390x'), 'x:1')).toThrow(
      expect.objectContaining({ hint: 'x:1 is there for: no platform' }),
    );
  });

  test.each([
    [{}, 'index.manifests'],
    [{ manifests: 5 }, 'index.manifests'],
    [{ manifests: [{ digest: 'x', size: 1 }] }, 'index.manifests[0].digest'],
    [{ manifests: [AMD, { ...AMD, size: -1 }] }, 'index.manifests[1].size'],
  ])('nonsense is refused: %j', (document, field) => {
    expect(() => chooseManifest(document, parsePlatform('linux/amd64'), 'x')).toThrow(field);
  });
});

test('what a document is, is told by itself, then by its media type', () => {
  expect(isIndex(MediaType.ociIndex, {})).toBe(true);
  expect(isIndex(MediaType.dockerList, {})).toBe(true);
  expect(isIndex(MediaType.ociManifest, { mediaType: MediaType.ociIndex })).toBe(true);
  expect(isIndex(MediaType.ociIndex, { mediaType: MediaType.ociManifest })).toBe(false);
  expect(isIndex('', { manifests: [] })).toBe(true);
  expect(isIndex('', { layers: [] })).toBe(false);
});

test('an image of too many layers is refused', () => {
  const layers = Array.from({ length: 1001 }, () => AMD);
  expect(() => imageManifest({ config: AMD, layers })).toThrow(
    'the image has 1001 layers; at most 1000 are supported',
  );
});
