/** Where an instruction writes: the stage's root with what the instruction has changed so far, in memory. */
import { MAX_NAME_BYTES } from '../../images/layers/limits.ts';
import type { TarEntry } from '../../images/layers/tar/entry.ts';
import {
  componentsOf,
  type Directory,
  followLinks,
  isDirectory,
  type Leaf,
  nodeAt,
} from '../../images/layers/tree.ts';
import { DockerfileError } from '../dockerfile/error.ts';
import { PLAIN_DIRECTORY } from '../../images/layers/tree.ts';
import { type Emitter, type Origin, sorted } from '../tree/emit.ts';
import { OverlayDirectory } from '../tree/overlay-directory.ts';
import { bytesOf } from '../tree/text.ts';
import { shown, systemFailure } from './failure.ts';

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** What this instruction has put there. */
const OWN = 0;

/** A file of the new layer, and where its content comes from. */
export interface PlannedLeaf extends Leaf {
  origin: Origin;
}

export function isPlanned(leaf: Leaf): leaf is PlannedLeaf {
  return 'origin' in leaf;
}

export interface Ownership {
  uid: number;
  gid: number;
}

/** A directory as it will be. */
export class WorkDirectory extends OverlayDirectory {
  readonly parent: WorkDirectory | null;
  /** It or something in it is in the layer. */
  isChanged = false;

  constructor(lower: Directory | null, parent: WorkDirectory | null, entry?: TarEntry) {
    super(lower, entry);
    this.parent = parent;
  }

  protected override above(lower: Directory): OverlayDirectory {
    return new WorkDirectory(lower, this);
  }

  /** Changes its own attributes. */
  become(change: Partial<TarEntry>): void {
    this.entry = { ...(this.entry ?? PLAIN_DIRECTORY), ...change };
    this.#mark();
  }

  #mark(): void {
    if (this.isChanged) return;
    this.isChanged = true;
    if (this.parent !== null) this.parent.#mark();
  }
}

export class Destination {
  readonly root: WorkDirectory;
  readonly #lower: Directory | null;
  /** What is made now is dated, in seconds since 1970. */
  readonly time: number;

  /** @param lower the root below; null for nothing */
  constructor(lower: Directory | null, time: number) {
    this.#lower = lower;
    this.time = time;
    this.root = new WorkDirectory(lower, null);
  }

  /**
   * Where a path leads, links followed inside `top`.
   * @throws DockerfileError when they lead in circles
   */
  resolve(names: readonly string[], top: Directory = this.root): string[] {
    const found = followLinks(top, names);
    if (found === null) throw new DockerfileError(`too many links`);
    return found;
  }

  at(names: readonly string[], top: Directory = this.root): Leaf | WorkDirectory | undefined {
    const node = nodeAt(top, names);
    return node === undefined || !isDirectory(node) || node instanceof WorkDirectory ? node : undefined;
  }

  /**
   * The directory at a resolved path; those that are missing are made.
   * @throws DockerfileError when something on the way is no directory
   */
  makeAll(
    names: readonly string[],
    mode: number,
    owner: Ownership,
    top: WorkDirectory = this.root,
  ): WorkDirectory {
    let directory = top;
    for (const [n, name] of names.entries()) {
      const there = directory.children.get(name)?.node;
      if (there === undefined) {
        const entry = { ...PLAIN_DIRECTORY, mode, ...owner, mtime: this.time };
        directory = this.putDirectory(directory, name, entry);
      } else if (there instanceof WorkDirectory) directory = there;
      else throw systemFailure('mkdir', names.slice(0, n + 1), 'not a directory');
    }
    return directory;
  }

  /** A new directory in place of whatever is there. */
  putDirectory(parent: WorkDirectory, name: string, entry: TarEntry): WorkDirectory {
    const directory = new WorkDirectory(null, parent, entry);
    directory.isChanged = true;
    this.put(parent, name, directory);
    return directory;
  }

  /**
   * Puts something at a name, in place of whatever is there.
   * @throws DockerfileError for a name that no layer or no file system can have
   */
  put(parent: WorkDirectory, name: string, node: Leaf | WorkDirectory): void {
    if (name.startsWith(WHITEOUT)) {
      throw new DockerfileError(
        `${shown([name])}: a name that begins with ${WHITEOUT} cannot be in an image`,
      );
    }
    if (name.length > MAX_NAME_BYTES) throw systemFailure('open', [name], 'file name too long');
    parent.children.set(name, { node, layer: OWN });
    if (parent.entry?.mtime !== this.time || !parent.isChanged) parent.become({ mtime: this.time });
  }

  /** Writes what was changed. */
  async emit(emitter: Emitter): Promise<void> {
    await this.#emit(emitter, this.root, this.#lower, '');
    await emitter.finish();
  }

  async #emit(
    emitter: Emitter,
    directory: WorkDirectory,
    lower: Directory | null,
    path: string,
  ): Promise<void> {
    for (const [name, { node, layer }] of sorted(directory)) {
      const inner = path === '' ? name : `${path}/${name}`;
      if (!(node instanceof WorkDirectory)) {
        if (!isDirectory(node) && layer === OWN) await emitter.leaf(inner, node);
        continue;
      }
      if (!node.isChanged) continue;
      await emitter.directory(inner, node);
      const before = lower?.children.get(name)?.node;
      const below = before !== undefined && isDirectory(before) ? before : null;
      // A directory that was replaced by another one.
      if (below !== null && node.isNew) await emitter.leaf(`${inner}/${OPAQUE}`, opaqueMarker());
      await this.#emit(emitter, node, node.isNew ? null : below, inner);
    }
  }
}

function opaqueMarker(): PlannedLeaf {
  const entry: TarEntry = { ...PLAIN_DIRECTORY, type: 'file', mode: 0 };
  const leaf = { entry, layer: OWN, ordinal: 0, path: '' };
  return { ...leaf, origin: { source: NOTHING, leaf } };
}

/** The content of empty files. */
export const NOTHING = {
  content: (): Iterable<Buffer> => [],
  stream: async (): Promise<void> => {},
};

/** A path of an instruction, as the tree has it: cleaned, `..` confined to the root. */
export function namesOf(path: string): string[] {
  return componentsOf(bytesOf(path));
}
