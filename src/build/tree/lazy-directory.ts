/** A directory that is read when it is first looked into. */
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import type { Child, Directory } from '../../images/layers/tree.ts';

export class LazyDirectory implements Directory {
  entry: TarEntry;
  opaqueIn = -1;
  readonly #load: () => Map<string, Child>;
  #children: Map<string, Child> | null = null;

  constructor(entry: TarEntry, load: () => Map<string, Child>) {
    this.entry = entry;
    this.#load = load;
  }

  get children(): Map<string, Child> {
    this.#children ??= this.#load();
    return this.#children;
  }
}
