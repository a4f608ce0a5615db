/** The guest bundle that the package ships: kernel, initramfs, blank disk, embedded images. */
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { A3sError } from '../errors.ts';
import { objectOr } from '../json.ts';
import { packageRoot } from '../package-root.ts';

export interface GuestBundle {
  dir: string;
  vmlinux: string;
  initramfs: string;
  /** A blank ext4 in qcow2, copied for every box. */
  scratch: string;
  /** A program of the host: prints the rate of its time stamp counter. */
  tscKhz: string;
  kernelVersion: string;
  agentVersion: string;
  /** SHA-256 of each file, as the manifest says. */
  hashes: Record<BundleFile, string>;
  /** Changes whenever any file of the bundle does. */
  identity: string;
}

export type BundleFile = (typeof BUNDLE_FILES)[number];

export const BUNDLE_FILES = ['vmlinux', 'initramfs', 'scratch.qcow2', 'tsc-khz'] as const;
const REBUILD = 'run `npm run guest` in a checkout, or install the package again';

/** `dist/guest` of the package, or the directory that `A3S_GUEST_BUNDLE` names. */
export function bundleDir(env: NodeJS.ProcessEnv = process.env): string {
  const override = env['A3S_GUEST_BUNDLE'];
  return override === undefined || override === '' ? join(packageRoot(), 'dist', 'guest') : resolve(override);
}

/**
 * The bundle, checked for presence and size; contents are checked where they are used (`verifyBundle`).
 * @throws A3sError `host_setup` naming the missing or truncated file.
 */
export function openBundle(dir = bundleDir()): GuestBundle {
  const manifest = readManifest(dir);
  const hash = (name: BundleFile): string => {
    const expected = manifest.files[name];
    const size = statSync(join(dir, name), { throwIfNoEntry: false })?.size;
    if (expected === undefined || size === undefined) throw brokenBundle(dir, name, 'is missing');
    if (size !== expected.size)
      throw brokenBundle(dir, name, `has ${size} bytes instead of ${expected.size}`);
    return expected.sha256;
  };
  const hashes = {
    vmlinux: hash('vmlinux'),
    initramfs: hash('initramfs'),
    'scratch.qcow2': hash('scratch.qcow2'),
    'tsc-khz': hash('tsc-khz'),
  };
  return {
    dir,
    vmlinux: join(dir, 'vmlinux'),
    initramfs: join(dir, 'initramfs'),
    scratch: join(dir, 'scratch.qcow2'),
    tscKhz: join(dir, 'tsc-khz'),
    kernelVersion: manifest.kernelVersion,
    agentVersion: manifest.agentVersion,
    hashes,
    identity: BUNDLE_FILES.map((name) => hashes[name]).join(' '),
  };
}

interface Manifest {
  kernelVersion: string;
  agentVersion: string;
  files: Record<string, { sha256: string; size: number } | undefined>;
}

function readManifest(dir: string): Manifest {
  const path = join(dir, 'manifest.json');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new A3sError('host_setup', `the guest bundle's ${path} is missing or damaged`, {
      hint: REBUILD,
      cause,
    });
  }
  const { files, kernelVersion, agentVersion } = objectOr(value);
  const checked: Manifest['files'] = {};
  for (const [name, entry] of Object.entries(objectOr(files))) {
    const { sha256, size } = objectOr(entry);
    if (typeof sha256 === 'string' && typeof size === 'number') checked[name] = { sha256, size };
  }
  return {
    kernelVersion: typeof kernelVersion === 'string' ? kernelVersion : 'unknown',
    agentVersion: typeof agentVersion === 'string' ? agentVersion : 'unknown',
    files: checked,
  };
}

/** The error for a file of the bundle that cannot be used. */
export function brokenBundle(dir: string, name: string, what: string): A3sError {
  return new A3sError('host_setup', `the guest bundle's ${join(dir, name)} ${what}`, { hint: REBUILD });
}
