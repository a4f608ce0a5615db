/**
 * Facts of this host that cost time to find: QEMU's version, the TSC's rate, which accelerator works.
 * Kept in cache/host.json with what they depend on; a fact whose ground has changed is found again.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { A3sError } from '../errors.ts';
import { isObject, objectOr } from '../json.ts';
import type { GuestBundle } from './bundle.ts';
import { verifyBundle } from './bundle-check.ts';
import type { Layout } from '../state/layout.ts';

export interface HostCache {
  qemu: { path: string; fingerprint: string; version: string };
  bootId: string;
  tscKhz: number;
  /** Null until a template boot has decided. */
  accelerator: AcceleratorVerdict | null;
}

export interface AcceleratorVerdict {
  name: 'kvm' | 'tcg';
  /** One sentence for `info`. */
  reason: string;
  /** What the trial depended on; another value asks for another trial. */
  ground: string;
}

const QEMU = 'qemu-system-x86_64';

/** First executable `name` on PATH, or null. */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const path = `${env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`;
  for (const dir of path.split(delimiter)) {
    if (dir === '') continue;
    const candidate = join(dir, name);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // not here: the next directory
    }
  }
  return null;
}

/**
 * The cache, filled where it was empty or stale (about 40 ms then, under 1 ms otherwise).
 * @throws A3sError `host_setup` when QEMU is missing or does not tell its version.
 */
export function loadHostCache(layout: Layout, bundle: GuestBundle): HostCache {
  const known = read(layout);
  const qemuPath = process.env['A3S_BOX_QEMU'] ?? findProgram(QEMU);
  const fingerprint = qemuPath === null ? null : fileFingerprint(qemuPath);
  if (qemuPath === null || fingerprint === null) {
    throw new A3sError('host_setup', `${qemuPath ?? QEMU} is not installed`, {
      hint: 'install the package qemu-system-x86',
    });
  }
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  if (known !== null && known.qemu.fingerprint === fingerprint && known.bootId === bootId) return known;
  const fresh: HostCache = {
    qemu: { path: qemuPath, fingerprint, version: qemuVersion(qemuPath) },
    bootId,
    tscKhz: known?.bootId === bootId ? known.tscKhz : measureTsc(bundle),
    accelerator: known?.accelerator ?? null,
  };
  saveHostCache(layout, fresh);
  return fresh;
}

export function saveHostCache(layout: Layout, cache: HostCache): void {
  mkdirSync(layout.cacheDir, { recursive: true, mode: 0o700 });
  const path = cacheFile(layout);
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(cache), { mode: 0o600 });
  renameSync(temporary, path);
}

/**
 * Size, times and inode: changes whenever a file is written or replaced, also by one who sets its modification time back.
 * Null when there is none.
 */
export function fileFingerprint(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? null : `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`;
}

function cacheFile(layout: Layout): string {
  return join(layout.cacheDir, 'host.json');
}

function read(layout: Layout): HostCache | null {
  try {
    const value: unknown = JSON.parse(readFileSync(cacheFile(layout), 'utf8'));
    return isHostCache(value) ? value : null;
  } catch {
    // absent or damaged: it is only a cache
    return null;
  }
}

function isHostCache(value: unknown): value is HostCache {
  if (!isObject(value)) return false;
  const qemu = objectOr(value['qemu']);
  return (
    [qemu['path'], qemu['fingerprint'], qemu['version'], value['bootId']].every(
      (field) => typeof field === 'string',
    ) &&
    typeof value['tscKhz'] === 'number' &&
    (value['accelerator'] === null || isVerdict(objectOr(value['accelerator'])))
  );
}

function isVerdict(value: Record<string, unknown>): boolean {
  return (
    (value['name'] === 'kvm' || value['name'] === 'tcg') &&
    typeof value['reason'] === 'string' &&
    typeof value['ground'] === 'string'
  );
}

function qemuVersion(path: string): string {
  const text = run(path, ['--version']);
  const version = /version (\S+(?: \([^)]*\))?)/.exec(text)?.[1];
  if (version === undefined) throw new A3sError('host_setup', `${path} --version says nothing usable`);
  return version;
}

/** kHz of the time stamp counter, rounded to 100 kHz: the guest's clock is set after each start anyway, the rate must only be near. */
function measureTsc(bundle: GuestBundle): number {
  verifyBundle(bundle, ['tsc-khz']);
  const khz = Number(run(bundle.tscKhz, []).trim());
  if (!Number.isFinite(khz) || khz < 100_000) {
    throw new A3sError('host_setup', 'the time stamp counter of this processor cannot be measured');
  }
  return Math.round(khz / 100) * 100;
}

function run(program: string, args: string[]): string {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (cause) {
    throw new A3sError('host_setup', `${program} ${args.join(' ')} failed`, { cause });
  }
}
