/** Owners, permissions and attributes of a tree's entries by path; equal ones are kept once, for trees of many files. */
import type { Xattrs } from '../../images/layers/tar/entry.ts';
import type { EntryAttributes } from './types.ts';

export class AttributeTable {
  readonly #entries = new Map<string, EntryAttributes>();
  readonly #known = new Map<string, EntryAttributes>();

  get entries(): ReadonlyMap<string, EntryAttributes> {
    return this.#entries;
  }

  set(path: string, { mode, uid, gid, xattrs }: EntryAttributes): void {
    this.#entries.set(path, this.#shared(mode, uid, gid, xattrs));
  }

  /** A second name of the same file. */
  copy(from: string, to: string): void {
    const attributes = this.#entries.get(from);
    if (attributes !== undefined) this.#entries.set(to, attributes);
  }

  forget(path: string): void {
    this.#entries.delete(path);
  }

  #shared(mode: number, uid: number, gid: number, xattrs: Xattrs): EntryAttributes {
    if (xattrs.length > 0) return { mode, uid, gid, xattrs };
    const key = `${mode} ${uid} ${gid}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const fresh = { mode, uid, gid, xattrs: [] };
    this.#known.set(key, fresh);
    return fresh;
  }
}
