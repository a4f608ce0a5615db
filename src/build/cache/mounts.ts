/** `RUN --mount=type=cache`: directories that outlive builds. */
import type { Layout } from '../../state/layout.ts';

export interface CacheMountRequest {
  /** `id=`, or the target. */
  id: string;
  sharing: 'shared' | 'private' | 'locked';
  /** `from=`: the content digest of what a new mount starts with, part of its identity; null for an empty one. */
  initial: { digest: string; fill(directory: string): Promise<void> } | null;
}

/** A mount in use by this build; `prune` leaves it alone until it is disposed of. */
export interface CacheMount extends AsyncDisposable {
  /** On the host. */
  readonly directory: string;
  readonly sharing: CacheMountRequest['sharing'];
}

/**
 * The directory of a cache mount, made when there is none. It never waits: of `private` mounts that are in use another one is made.
 * Open it for the life of a VM.
 */
export declare function openCacheMount(layout: Layout, request: CacheMountRequest): Promise<CacheMount>;

/**
 * Runs a command that uses the mounts: alone on each `locked` one, for which it waits.
 * @throws the signal's reason; what `work` throws.
 */
export declare function withCacheMounts<T>(
  layout: Layout,
  mounts: readonly CacheMount[],
  work: () => Promise<T>,
  signal: AbortSignal,
): Promise<T>;
