import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { a3s, type Outcome } from '../e2e/fixture/cli.ts';
import { readBoxesFile } from '../e2e/fixture/records.ts';
import { temporaryDirectory } from '../temporary.ts';
import { BUNDLE } from './fixture/paths.ts';

/** The guest bundle under another path: files are links to the real ones, until one is damaged. */
function copyOfBundle(): string {
  const dir = join(temporaryDirectory(), 'guest');
  mkdirSync(dir);
  for (const entry of readdirSync(BUNDLE, { withFileTypes: true })) {
    const [from, to] = [join(BUNDLE, entry.name), join(dir, entry.name)];
    if (entry.isDirectory()) cpSync(from, to, { recursive: true });
    else linkOrCopy(from, to);
  }
  return dir;
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // Another file system.
    copyFileSync(from, to);
  }
}

/** Gives the path a file of its own with other content; an empty change removes it. */
function replace(file: string, change: (content: Buffer) => Buffer | null): void {
  const content = change(readFileSync(file));
  const { mode } = statSync(file);
  rmSync(file);
  if (content !== null) writeFileSync(file, content, { mode });
}

const flip = (content: Buffer): Buffer => {
  const altered = Buffer.from(content);
  const middle = Math.floor(altered.length / 2);
  altered.writeUInt8(altered.readUInt8(middle) ^ 1, middle);
  return altered;
};

/** A first run in a new state directory. */
async function firstRun(bundle: string): Promise<Outcome & { home: string }> {
  const home = join(temporaryDirectory(), 'home');
  const env = { A3S_HOME: home, A3S_GUEST_BUNDLE: bundle, A3S_BOX_ACCEL: 'tcg' };
  const outcome = await a3s(['run', '--rm', 'a3s/base', 'true'], { env });
  expect(readBoxesFile(home)).toEqual([]);
  const boxesDir = join(home, 'boxes');
  expect(existsSync(boxesDir) ? readdirSync(boxesDir) : []).toEqual([]);
  return { ...outcome, home };
}

const FILES = ['vmlinux', 'initramfs', 'scratch.qcow2', 'tsc-khz'];

describe('a guest bundle with a file', () => {
  test.each(FILES)('missing: %s', async (name) => {
    const bundle = copyOfBundle();
    replace(join(bundle, name), () => null);
    const { status, out, err } = await firstRun(bundle);
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err.split('\n')[0]).toBe(`a3s-box: the guest bundle's ${join(bundle, name)} is missing`);
    expect(err).toContain('Hint: run `npm run guest` in a checkout, or install the package again');
  });

  test.each(FILES)('truncated: %s', async (name) => {
    const bundle = copyOfBundle();
    const { size } = statSync(join(bundle, name));
    replace(join(bundle, name), (content) => content.subarray(0, 1000));
    const { status, out, err } = await firstRun(bundle);
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err.split('\n')[0]).toBe(
      `a3s-box: the guest bundle's ${join(bundle, name)} has 1000 bytes instead of ${size}`,
    );
  });

  test.each(FILES)('altered by one bit: %s', async (name) => {
    const bundle = copyOfBundle();
    replace(join(bundle, name), flip);
    const { status, out, err, ms } = await firstRun(bundle);
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err.split('\n')[0]).toBe(`a3s-box: the guest bundle's ${join(bundle, name)} is damaged`);
    // Before a VM would be given up.
    expect(ms).toBeLessThan(30_000);
  });
});

describe('a manifest', () => {
  test.each([
    ['missing', () => null],
    ['cut off', (content: Buffer) => content.subarray(0, 100)],
  ])('%s', async (_name, change) => {
    const bundle = copyOfBundle();
    replace(join(bundle, 'manifest.json'), change);
    const { status, out, err } = await firstRun(bundle);
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err.split('\n')[0]).toBe(
      `a3s-box: the guest bundle's ${bundle}/manifest.json is missing or damaged`,
    );
  });
});

test('an embedded image with an altered blob is refused by its digest', async () => {
  const bundle = copyOfBundle();
  const blobs = join(bundle, 'images', 'blobs', 'sha256');
  const [largest = ''] = readdirSync(blobs).toSorted(
    (a, b) => statSync(join(blobs, b)).size - statSync(join(blobs, a)).size,
  );
  chmodSync(join(blobs, largest), 0o600);
  replace(join(blobs, largest), flip);
  const { status, out, err } = await firstRun(bundle);
  expect({ status, out }).toEqual({ status: 125, out: '' });
  expect(err).toContain(largest);
});

test('a bundle at another path with the same files is the same bundle', async () => {
  const env = { A3S_GUEST_BUNDLE: copyOfBundle() };
  const { status, out, err } = await a3s(['run', '--rm', 'a3s/base', 'echo', 'well'], { env });
  expect({ status, out, err }).toEqual({ status: 0, out: 'well\n', err: '' });
});
