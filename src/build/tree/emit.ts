/** Writes trees as a tar: by path, parents first; contents that come in streams behind everything else, hard links to them last. */
import { A3sError } from '../../errors.ts';
import {
  type Child,
  type Directory,
  isDirectory,
  type Leaf,
  PLAIN_DIRECTORY,
} from '../../images/layers/tree.ts';
import type { ContentSource } from './source-tree.ts';
import type { TarWriter } from './tar-writer.ts';

/** Where a file's content is: a file of another tree, or the file itself. */
export interface Origin {
  source: ContentSource;
  leaf: Leaf;
}

/** A file whose header goes out with its content. */
interface Waiting {
  leaf: Leaf;
  path: string;
}

/** Entries between two waits for the sink. */
const ENTRIES_AT_ONCE = 64;

export class Emitter {
  readonly #writer: TarWriter;
  readonly #originOf: (leaf: Leaf) => Origin;
  readonly #signal: AbortSignal | undefined;
  readonly #paths = new Map<Leaf, string>();
  /** By source, then by the file there: one may be copied to several places. */
  readonly #waiting = new Map<ContentSource, Map<Leaf, Waiting[]>>();
  readonly #waitingLeaves = new Set<Leaf>();
  readonly #lateLinks: Waiting[] = [];
  #count = 0;

  constructor(writer: TarWriter, originOf: (leaf: Leaf) => Origin, signal?: AbortSignal) {
    this.#writer = writer;
    this.#originOf = originOf;
    this.#signal = signal;
  }

  /** A directory's own entry. */
  async directory(path: string, { entry }: Directory): Promise<void> {
    this.#writer.entry(entry ?? PLAIN_DIRECTORY, path);
    await this.#pace();
  }

  /** Whatever is no directory. */
  async leaf(path: string, leaf: Leaf): Promise<void> {
    const first = this.#paths.get(leaf);
    if (first !== undefined) {
      if (this.#waitingLeaves.has(leaf)) this.#lateLinks.push({ leaf, path });
      else this.#link(path, leaf, first);
      return;
    }
    this.#paths.set(leaf, path);
    if (leaf.entry.type !== 'file') {
      this.#writer.entry(leaf.entry, path);
      await this.#pace();
      return;
    }
    const origin = this.#originOf(leaf);
    const pieces = origin.source.content(origin.leaf);
    if (pieces === null) this.#wait(origin, { leaf, path });
    else await this.#file(path, leaf, pieces);
  }

  /** What has waited: call it when every entry was given. */
  async finish(): Promise<void> {
    for (const [source, files] of this.#waiting) {
      while (files.size > 0) await this.#streamed(source, files);
    }
    for (const { path, leaf } of this.#lateLinks) this.#link(path, leaf, this.#paths.get(leaf) ?? '');
    await this.#writer.settled();
  }

  async #file(path: string, leaf: Leaf, pieces: Iterable<Buffer>): Promise<void> {
    this.#writer.entry(leaf.entry, path);
    for (const piece of pieces) {
      this.#writer.content(piece);
      await this.#writer.settled();
    }
    await this.#pace();
  }

  #wait({ source, leaf }: Origin, waiting: Waiting): void {
    const files = this.#waiting.get(source) ?? new Map<Leaf, Waiting[]>();
    this.#waiting.set(source, files);
    const places = files.get(leaf) ?? [];
    files.set(leaf, places);
    places.push(waiting);
    this.#waitingLeaves.add(waiting.leaf);
  }

  /** One reading of the source: one place of each file. */
  async #streamed(source: ContentSource, files: Map<Leaf, Waiting[]>): Promise<void> {
    let given = 0;
    const visitor = {
      begin: (origin: Leaf) => {
        const place = files.get(origin)?.shift();
        given += 1;
        if (place !== undefined) this.#writer.entry(place.leaf.entry, place.path);
      },
      content: (bytes: Buffer) => this.#writer.content(bytes),
      settled: () => this.#writer.settled(),
    };
    const before = files.size;
    await source.stream(new Set(files.keys()), visitor, this.#signal);
    for (const [origin, places] of files) if (places.length === 0) files.delete(origin);
    // Each reading brings every file at least once, or it will never come.
    if (files.size === before && given === 0)
      throw new A3sError('io', 'a file was not found again while it was copied');
  }

  #link(path: string, { entry }: Leaf, target: string): void {
    const { mode, uid, gid, mtime } = entry;
    this.#writer.entry({ ...PLAIN_DIRECTORY, type: 'hardlink', mode, uid, gid, mtime }, path, target);
  }

  async #pace(): Promise<void> {
    this.#count += 1;
    if (this.#count % ENTRIES_AT_ONCE === 0) await this.#writer.settled();
  }
}

/** The names in a directory, in the order of a layer. */
export function sorted(directory: Directory): [name: string, child: Child][] {
  return [...directory.children].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** Everything below a directory. @param path of the directory, empty for the root */
export async function emitAll(emitter: Emitter, directory: Directory, path: string): Promise<void> {
  for (const [name, { node }] of sorted(directory)) {
    const inner = path === '' ? name : `${path}/${name}`;
    if (!isDirectory(node)) await emitter.leaf(inner, node);
    else {
      await emitter.directory(inner, node);
      await emitAll(emitter, node, inner);
    }
  }
}
