/** What ADD names by URLs, fetched. */

import { transferSourceKind } from '../dockerfile/evaluate/transfer-source.ts';
import type { Add, Copy } from '../dockerfile/instructions/types.ts';
import { fetchGit, fetchRemoteFile } from '../context/remote.ts';
import { DirectoryTree } from '../tree/directory-tree.ts';
import type { RemoteSource } from '../transfer/options.ts';
import type { BuildSession } from './session.ts';

export interface FetchedSources extends AsyncDisposable {
  /** By the source as the instruction has it. */
  sources: ReadonlyMap<string, RemoteSource>;
}

/** @throws A3sError in BuildKit's words */
export async function fetchSources(
  { remote }: Pick<BuildSession, 'remote'>,
  instruction: Copy | Add,
): Promise<FetchedSources> {
  const sources = new Map<string, RemoteSource>();
  const fetched: AsyncDisposable[] = [];
  const dispose = async (): Promise<void> => {
    for (const one of fetched.toReversed()) await one[Symbol.asyncDispose]();
  };
  try {
    if (instruction.kind !== 'add') return { sources, [Symbol.asyncDispose]: dispose };
    const { checksum, keepGitDirectory } = instruction;
    for (const source of instruction.sources) {
      const kind = transferSourceKind(source);
      if (kind === 'git') {
        const checkout = await fetchGit(source, { ...remote, checksum, keepGitDirectory });
        fetched.push(checkout);
        const tree = new DirectoryTree({ name: source, directory: checkout.directory });
        fetched.push({ [Symbol.asyncDispose]: async () => tree.close() });
        sources.set(source, { kind: 'directory', tree });
      } else if (kind === 'url') {
        const file = await fetchRemoteFile(source, { ...remote, checksum });
        fetched.push(file);
        sources.set(source, { kind: 'file', file: file.path, filename: file.name, mtime: file.mtime });
      }
    }
    return { sources, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
