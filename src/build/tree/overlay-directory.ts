/** A directory on top of another one that stays as it is: changes go to the upper one only, which is filled when it is first looked into. */
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import { type Child, type Directory, isDirectory } from '../../images/layers/tree.ts';

/** Below every layer. */
const BELOW = -1;

export class OverlayDirectory implements Directory {
  entry: TarEntry | null;
  opaqueIn = BELOW;
  readonly #lower: Directory | null;
  #children: Map<string, Child> | null = null;

  /** @param lower null: there is nothing below. */
  constructor(lower: Directory | null, entry: TarEntry | null = lower?.entry ?? null) {
    this.#lower = lower;
    this.entry = entry;
  }

  get children(): Map<string, Child> {
    this.#children ??= this.#load();
    return this.#children;
  }

  /** True when everything in it is this directory's own. */
  get isNew(): boolean {
    return this.#lower === null;
  }

  protected above(lower: Directory): OverlayDirectory {
    return new OverlayDirectory(lower);
  }

  #load(): Map<string, Child> {
    const children = new Map<string, Child>();
    for (const [name, { node }] of this.#lower?.children ?? []) {
      children.set(name, { node: isDirectory(node) ? this.above(node) : node, layer: BELOW });
    }
    return children;
  }
}
