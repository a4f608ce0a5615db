/** The guest bundle that the package ships: kernel, initramfs, blank disk, embedded images. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { A3sError } from '../errors.ts';
import { objectOr } from '../json.ts';

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
  /** Changes whenever any file of the bundle does. */
  identity: string;
}

const FILES = ['vmlinux', 'initramfs', 'scratch.qcow2', 'tsc-khz'] as const;
const REBUILD = 'run `npm run guest` in a checkout, or install the package again';

/** `dist/guest` of the package. */
export function bundleDir(): string {
  return join(packageRoot(), 'dist', 'guest');
}

/** The directory of the package this code runs from, as source or as a bundle. */
export function packageRoot(): string {
  let dir = import.meta.dirname;
  while (!existsSync(join(dir, 'package.json'))) {
    const parent = dirname(dir);
    if (parent === dir) throw new A3sError('host_setup', 'cannot find the package that a3s-box runs from');
    dir = parent;
  }
  return dir;
}

/**
 * The bundle, checked for presence and size; contents are checked by hash when a boot fails (`brokenBundleFiles`).
 * @throws A3sError `host_setup` naming the missing or truncated file.
 */
export function openBundle(dir = bundleDir()): GuestBundle {
  const manifest = readManifest(dir);
  for (const name of FILES) {
    const expected = manifest.files[name];
    const size = statSync(join(dir, name), { throwIfNoEntry: false })?.size;
    if (expected === undefined || size === undefined) throw broken(dir, name, 'is missing');
    if (size !== expected.size) throw broken(dir, name, `has ${size} bytes instead of ${expected.size}`);
  }
  return {
    dir,
    vmlinux: join(dir, 'vmlinux'),
    initramfs: join(dir, 'initramfs'),
    scratch: join(dir, 'scratch.qcow2'),
    tscKhz: join(dir, 'tsc-khz'),
    kernelVersion: manifest.kernelVersion,
    agentVersion: manifest.agentVersion,
    identity: FILES.map((name) => manifest.files[name]?.sha256).join(' '),
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

function broken(dir: string, name: string, what: string): A3sError {
  return new A3sError('host_setup', `the guest bundle's ${join(dir, name)} ${what}`, { hint: REBUILD });
}
