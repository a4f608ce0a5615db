import type { SourceTree } from '../tree/source-tree.ts';

/** What `RUN --mount=type=bind` shows. */
export interface MountContent {
  contentDigest: string;
  /** Entries relative to the mount's target; of a single file, one entry of that name. */
  tar(signal?: AbortSignal): AsyncIterable<Buffer>;
  /** The name of the entry if it is one file; null for a directory. */
  single: string | null;
}

/**
 * @param path of the mount's `source`, in the tree; links are followed inside of it
 * @throws DockerfileError in BuildKit's words when it is not there
 */
export declare function selectForMount(
  source: SourceTree,
  path: string,
  options?: { signal?: AbortSignal },
): Promise<MountContent>;
