/** What of a directory `.dockerignore` leaves out, entry by entry (fsutil, filter.go). */
import { IgnoreRules, type ParentMatches } from '../dockerignore.ts';
import { textOf } from './text.ts';

const SPECIAL = /[*[\]?^\\]/;
const LAST_STARS = /\/\*{1,2}$/;

export interface Verdict {
  ignored: boolean;
  /** False for an ignored directory that nothing comes back from. */
  entered: boolean;
  matches: ParentMatches;
}

const KEPT: Verdict = { ignored: false, entered: true, matches: [] };

export class Ignored {
  readonly #rules: IgnoreRules | null;
  /** What the exceptions begin with; null when that cannot be said. */
  readonly #exceptions: readonly string[] | null;

  /** @throws A3sError `usage` naming a pattern that is none. */
  constructor(patterns: readonly string[]) {
    this.#rules = patterns.length === 0 ? null : new IgnoreRules(patterns);
    const exceptions = patterns
      .filter((pattern) => pattern.startsWith('!'))
      .map((pattern) => pattern.slice(1).replace(LAST_STARS, ''));
    this.#exceptions = exceptions.some((start) => SPECIAL.test(start)) ? null : exceptions;
  }

  /** @param parent what was said of its directory */
  verdict(path: string, parent: ParentMatches): Verdict {
    if (this.#rules === null) return KEPT;
    const text = textOf(path);
    const { ignored, matches } = this.#rules.verdict(text, parent);
    return { ignored, entered: !ignored || this.#returnsBelow(text), matches };
  }

  #returnsBelow(directory: string): boolean {
    if (this.#rules?.hasExceptions !== true) return false;
    return this.#exceptions?.some((start) => `${start}/`.startsWith(`${directory}/`)) ?? true;
  }
}
