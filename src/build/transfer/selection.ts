/** What of a directory is copied: everything, or what `--parents` and `--exclude` leave of it (fsutil, copy/copy.go). */
import { type Directory, isDirectory, type Leaf } from '../../images/layers/tree.ts';
import { IgnoreRules, type ParentMatches } from '../dockerignore.ts';
import { sorted } from '../tree/emit.ts';
import { textOf } from '../tree/text.ts';

const SPECIAL = /[*?[\\]/;

/** One step of a walk; what is between `open` and `close` of a directory is in it. */
export type Selected =
  /** Chosen itself, or, if not, a directory on the way to something that is. */
  | { kind: 'open'; name: string; directory: Directory; chosen: boolean }
  | { kind: 'leaf'; name: string; leaf: Leaf }
  | { kind: 'close'; directory: Directory; chosen: boolean };

export interface Patterns {
  /** Null: everything. */
  include: string | null;
  exclude: readonly string[];
}

interface Place {
  path: string;
  included: ParentMatches;
  excluded: ParentMatches;
}

/** A directory on the way that was not told yet. */
interface Pending {
  name: string;
  directory: Directory;
}

const TOP: Place = { path: '', included: [], excluded: [] };

export class Selection {
  readonly #include: IgnoreRules | null;
  readonly #exclude: IgnoreRules | null;
  /** What every included path begins with or is above of. */
  readonly #prefix: string;

  /** @throws A3sError `usage` naming a pattern that is none. */
  constructor({ include, exclude }: Patterns) {
    this.#include = include === null ? null : new IgnoreRules([include]);
    this.#exclude = exclude.length === 0 ? null : new IgnoreRules(exclude);
    const parts = (include ?? '').split('/').filter((part) => part !== '' && part !== '.');
    const special = parts.findIndex((part) => SPECIAL.test(part));
    this.#prefix = parts.slice(0, special < 0 ? parts.length : special).join('/');
  }

  /** Everything below a directory that is chosen, by name, and the directories around it. */
  *of(top: Directory): Generator<Selected, void, undefined> {
    yield* this.#inside(top, TOP, []);
  }

  *#inside(directory: Directory, place: Place, pending: Pending[]): Generator<Selected, void, undefined> {
    for (const [name, { node }] of sorted(directory)) {
      if (this.#include === null && this.#exclude === null) {
        if (!isDirectory(node)) yield { kind: 'leaf', name, leaf: node };
        else yield* this.#directory(name, node, place, [], true);
        continue;
      }
      const text = textOf(name);
      const path = place.path === '' ? text : `${place.path}/${text}`;
      const included = this.#include?.verdict(path, place.included);
      const excluded = this.#exclude?.verdict(path, place.excluded);
      const isOut = excluded?.ignored === true;
      const chosen = !isOut && included?.ignored !== false;
      if (!isDirectory(node)) {
        if (!chosen) continue;
        yield* told(pending);
        yield { kind: 'leaf', name, leaf: node };
        continue;
      }
      if (isOut && this.#exclude?.hasExceptions !== true) continue;
      if (included?.ignored === false && !this.#mayBeBelow(path)) continue;
      const inner = { path, included: included?.matches ?? [], excluded: excluded?.matches ?? [] };
      if (chosen) yield* told(pending);
      yield* this.#directory(name, node, inner, pending, chosen);
    }
  }

  *#directory(
    name: string,
    directory: Directory,
    place: Place,
    pending: Pending[],
    chosen: boolean,
  ): Generator<Selected, void, undefined> {
    if (chosen) {
      yield { kind: 'open', name, directory, chosen };
      yield* this.#inside(directory, place, []);
      yield { kind: 'close', directory, chosen };
      return;
    }
    const own: Pending = { name, directory };
    pending.push(own);
    yield* this.#inside(directory, place, pending);
    // Still there: nothing in it was chosen.
    if (pending.at(-1) === own) pending.pop();
    else yield { kind: 'close', directory, chosen };
  }

  #mayBeBelow(directory: string): boolean {
    return (
      `${this.#prefix}/`.startsWith(`${directory}/`) ||
      this.#prefix === '' ||
      directory.startsWith(`${this.#prefix}/`)
    );
  }
}

/** Tells the directories on the way, outermost first. */
function* told(pending: Pending[]): Generator<Selected, void, undefined> {
  for (const { name, directory } of pending.splice(0)) yield { kind: 'open', name, directory, chosen: false };
}
