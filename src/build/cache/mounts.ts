/**
 * `RUN --mount=type=cache`: directories that outlive builds. Beside each lies what is known of it, and a file for each build that has it
 * open or a command running on it; the files of processes that are gone count for nothing.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { removeTree } from '../../state/directory.ts';
import { buildCachePaths, type Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import { hashOf } from './step-file.ts';
import {
  CLAIM_PAUSE_MS,
  type Claim,
  claim,
  claims,
  newMountName,
  readMount,
  tryClaim,
  writeMount,
} from './mount-files.ts';

export interface CacheMountRequest {
  /** `id=`, or the target. */
  id: string;
  sharing: 'shared' | 'private' | 'locked';
  /** `from=`: the content digest of what a new mount starts with, part of its identity; null for an empty one. */
  initial: { digest: string; fill(directory: string): Promise<void> } | null;
  /** For lists: `cached mount /root/.npm from exec /bin/sh -c npm ci`. */
  description: string;
}

/** A mount in use by this build; `prune` leaves it alone until it is disposed of. */
export interface CacheMount extends AsyncDisposable {
  /** On the host. */
  readonly directory: string;
  readonly sharing: CacheMountRequest['sharing'];
}

const LOCK_TIMEOUT_MS = 60_000;

/**
 * The directory of a cache mount, made when there is none. It never waits: of `private` mounts that are in use another one is made.
 * Open it for the life of a VM.
 * @throws A3sError `io`; what `fill` throws.
 */
export async function openCacheMount(layout: Layout, request: CacheMountRequest): Promise<CacheMount> {
  const { mounts, mountsLock } = buildCachePaths(layout);
  const hash = hashOf(`${request.id}\0${request.initial?.digest ?? ''}`).slice(0, 32);
  mkdirSync(mounts, { recursive: true, mode: 0o700 });
  for (;;) {
    const opened = await withLock(mountsLock, () => takeMount(mounts, hash, request), {
      timeoutMs: LOCK_TIMEOUT_MS,
    });
    if ('claim' in opened) return mountOf(mounts, opened.name, opened.claim, request.sharing);
    // Filled beside its place, outside the lock; whoever is first puts it there.
    const fresh = join(mounts, newMountName());
    mkdirSync(fresh, { mode: 0o755 });
    try {
      await request.initial?.fill(fresh);
      await withLock(
        mountsLock,
        () => {
          const place = join(mounts, opened.name);
          if (readMount(mounts, opened.name) !== null) return;
          // A crash may have left a directory that nothing is known of.
          removeTree(place);
          renameSync(fresh, place);
          const { id, description } = request;
          writeMount(mounts, opened.name, { id, description, created: new Date().toISOString(), uses: 0 });
        },
        { timeoutMs: LOCK_TIMEOUT_MS },
      );
    } finally {
      removeTree(fresh);
    }
  }
}

/** The first mount that may be used, or the name of one to be made. */
function takeMount(
  mounts: string,
  hash: string,
  { sharing }: CacheMountRequest,
): { name: string; claim: Claim } | { name: string } {
  for (let n = 0; ; n += 1) {
    const name = `${hash}.${n}`;
    const known = readMount(mounts, name);
    if (known === null) return { name };
    const users = claims(mounts, name);
    if (users.includes('private') || (sharing === 'private' && users.length > 0)) continue;
    writeMount(mounts, name, { ...known, uses: known.uses + 1 });
    return { name, claim: claim(mounts, name, sharing === 'private' ? 'private' : 'open') };
  }
}

function mountOf(
  mounts: string,
  name: string,
  held: Claim,
  sharing: CacheMountRequest['sharing'],
): CacheMount {
  return {
    directory: join(mounts, name),
    sharing,
    async [Symbol.asyncDispose]() {
      rmSync(held.file, { force: true });
    },
  };
}

/**
 * Runs a command that uses the mounts: alone on each `locked` one, for which it waits, and not beside one that is alone.
 * @throws the signal's reason; what `work` throws.
 */
export async function withCacheMounts<T>(
  layout: Layout,
  mounts: readonly CacheMount[],
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const held: Claim[] = [];
  try {
    // In one order, so that two commands never wait for each other.
    for (const mount of distinct(mounts)) held.push(await waitForClaim(layout, mount, signal));
    return await work();
  } finally {
    for (const { file } of held) rmSync(file, { force: true });
  }
}

/** One for each directory, the strictest: a command may mount the same one twice. */
function distinct(mounts: readonly CacheMount[]): CacheMount[] {
  const byDirectory = new Map<string, CacheMount>();
  for (const mount of mounts) {
    if (mount.sharing === 'locked' || !byDirectory.has(mount.directory))
      byDirectory.set(mount.directory, mount);
  }
  return [...byDirectory.values()].toSorted((a, b) => (a.directory < b.directory ? -1 : 1));
}

async function waitForClaim(layout: Layout, mount: CacheMount, signal: AbortSignal): Promise<Claim> {
  const { mounts, mountsLock } = buildCachePaths(layout);
  const name = mount.directory.slice(mounts.length + 1);
  for (;;) {
    signal.throwIfAborted();
    const taken = await withLock(
      mountsLock,
      () => tryClaim(mounts, name, mount.sharing === 'locked' ? 'alone' : 'running'),
      { timeoutMs: LOCK_TIMEOUT_MS, signal },
    );
    if (taken !== null) return taken;
    await new Promise((resolve) => setTimeout(resolve, CLAIM_PAUSE_MS));
  }
}
