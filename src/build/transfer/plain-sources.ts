/** Sources of one file: heredocs, and what a URL was fetched to. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

import { A3sError } from '../../errors.ts';
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import type { Directory, Leaf } from '../../images/layers/tree.ts';
import { emptyDirectory } from '../../images/layers/tree.ts';
import { PLAIN_DIRECTORY } from '../../images/layers/tree.ts';
import { Pauses } from '../tree/pause.ts';
import type { SourceTree } from '../tree/source-tree.ts';

const PIECE_BYTES = 256 * 1024;

abstract class OneFile implements SourceTree {
  readonly identity = null;
  abstract readonly name: string;
  protected abstract readonly entry: TarEntry;
  #leaf: Leaf | null = null;

  get leaf(): Leaf {
    this.#leaf ??= { entry: this.entry, layer: 0, ordinal: 0, path: '' };
    return this.#leaf;
  }

  async open(): Promise<Directory> {
    const root = emptyDirectory(null);
    root.children.set('file', { node: this.leaf, layer: 0 });
    return root;
  }

  async digests(leaves: Iterable<Leaf>, signal?: AbortSignal): Promise<Map<Leaf, string>> {
    const found = new Map<Leaf, string>();
    const pauses = new Pauses(signal);
    for (const leaf of leaves) {
      const hash = createHash('sha256');
      for (const piece of this.content()) {
        hash.update(piece);
        await pauses.after(piece.length);
      }
      found.set(leaf, hash.digest('hex'));
    }
    return found;
  }

  abstract content(): Iterable<Buffer>;

  async stream(): Promise<void> {}
}

/** A heredoc. */
export class InlineSource extends OneFile {
  readonly name = 'heredoc';
  protected readonly entry: TarEntry;
  readonly #bytes: Buffer;

  constructor(text: string, mtime: number) {
    super();
    this.#bytes = Buffer.from(text);
    this.entry = { ...PLAIN_DIRECTORY, type: 'file', mode: 0o644, size: this.#bytes.length, mtime };
  }

  content(): Iterable<Buffer> {
    return [this.#bytes];
  }
}

/** A file that was fetched. */
export class FetchedSource extends OneFile {
  readonly name: string;
  protected readonly entry: TarEntry;
  readonly #file: string;

  /** @throws errors of node:fs when it is not there */
  constructor(name: string, file: string, mtime: number) {
    super();
    this.name = name;
    this.#file = file;
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      this.entry = { ...PLAIN_DIRECTORY, type: 'file', mode: 0o600, size, mtime };
    } finally {
      closeSync(descriptor);
    }
  }

  *content(): Generator<Buffer, void, undefined> {
    const descriptor = openSync(this.#file, 'r');
    try {
      for (let left = this.entry.size; left > 0;) {
        const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, left));
        const count = readSync(descriptor, piece);
        if (count === 0) throw new A3sError('io', `what was fetched from ${this.name} was changed`);
        left -= count;
        yield piece.subarray(0, count);
      }
    } finally {
      closeSync(descriptor);
    }
  }
}
