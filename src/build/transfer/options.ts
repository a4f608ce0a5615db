/** What COPY and ADD are given besides the instruction. */
import type { RootTree } from '../tree/root-tree.ts';
import type { SourceTree } from '../tree/source-tree.ts';

/** What a URL of ADD was fetched to, on the host. */
export type RemoteSource =
  | {
      kind: 'file';
      /** Path of the file on the host. */
      file: string;
      /** What it is called in the image if the destination is a directory. */
      filename: string;
      /** Seconds since 1970; null when the server did not tell. */
      mtime: number | null;
    }
  /** A repository's files. The tree stays the caller's. */
  | { kind: 'directory'; tree: SourceTree };

export interface TransferOptions {
  /** Where paths are read: the build context, or what `--from` names. Null when the instruction has none but heredocs and URLs. */
  source: SourceTree | null;
  /** The stage as it is. `--link` reads nothing of it. */
  root: RootTree;
  /** The stage's working directory, absolute. */
  workdir: string;
  /** For ADD, by the source as the evaluated instruction has it. */
  remote?: ReadonlyMap<string, RemoteSource>;
  /** What directories that the instruction makes are dated; now, in seconds since 1970, if it is not given. */
  time?: number;
  signal?: AbortSignal;
}
