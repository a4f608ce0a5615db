/** Contents that were read to be hashed and are kept until they are copied, so that a layer need not be unpacked for them twice. */
import { createHash, type Hash } from 'node:crypto';

import type { Leaf } from '../../images/layers/tree.ts';
import type { ContentVisitor } from './source-tree.ts';

/** Of one tree. */
const MAX_HELD_BYTES = 16 * 1024 ** 2;

export class HeldContents {
  readonly #contents = new Map<Leaf, Buffer[]>();
  #bytes = 0;

  /** Keeps a content if there is room. */
  keep(leaf: Leaf, pieces: Buffer[], bytes: number): void {
    if (this.#contents.has(leaf) || this.#bytes + bytes > MAX_HELD_BYTES) return;
    this.#bytes += bytes;
    this.#contents.set(leaf, pieces);
  }

  /**
   * Gives the contents of all these files, in this order, and forgets them.
   * @returns false, and gives none, when one of them is not here.
   */
  async give(leaves: readonly Leaf[], visitor: ContentVisitor): Promise<boolean> {
    // All at once: while the visitor is waited for, others may ask for the same files.
    const taken = this.#take(leaves);
    if (taken === null) return false;
    for (const [leaf, pieces] of taken) {
      visitor.begin(leaf);
      for (const piece of pieces) visitor.content(piece);
      await visitor.settled();
    }
    return true;
  }

  #take(leaves: readonly Leaf[]): Map<Leaf, Buffer[]> | null {
    const taken = new Map<Leaf, Buffer[]>();
    for (const leaf of leaves) {
      const pieces = this.#contents.get(leaf);
      if (pieces === undefined) return null;
      taken.set(leaf, pieces);
    }
    for (const [leaf, pieces] of taken) {
      this.#contents.delete(leaf);
      for (const { length } of pieces) this.#bytes -= length;
    }
    return taken;
  }
}

/** Hashes what it is given. */
export class Hashing implements ContentVisitor {
  readonly #held: HeldContents;
  readonly #digests = new Map<Leaf, string>();
  #current: { leaf: Leaf; hash: Hash; pieces: Buffer[]; bytes: number } | null = null;

  constructor(held: HeldContents) {
    this.#held = held;
  }

  begin(leaf: Leaf): void {
    this.#endLast();
    this.#current = { leaf, hash: createHash('sha256'), pieces: [], bytes: 0 };
  }

  content(bytes: Buffer): void {
    if (this.#current === null) return;
    this.#current.hash.update(bytes);
    this.#current.bytes += bytes.length;
    if (this.#current.bytes > MAX_HELD_BYTES) this.#current.pieces = [];
    // A copy: the piece is part of what was unpacked at once, which would be kept with it.
    else this.#current.pieces.push(Buffer.from(bytes));
  }

  async settled(): Promise<void> {}

  /** The digests of everything that it was given. Where holes are is part of what a file is. */
  end(): ReadonlyMap<Leaf, string> {
    this.#endLast();
    return this.#digests;
  }

  #endLast(): void {
    if (this.#current === null) return;
    const { leaf, hash, pieces, bytes } = this.#current;
    this.#current = null;
    const { size, sparse } = leaf.entry;
    const digest = hash.digest('hex');
    const whole = sparse === null ? digest : JSON.stringify([digest, size, sparse]);
    this.#digests.set(leaf, sparse === null ? digest : createHash('sha256').update(whole).digest('hex'));
    this.#held.keep(leaf, pieces, bytes);
  }
}
