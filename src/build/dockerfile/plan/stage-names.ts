/** What a name means in FROM, `COPY --from` and `RUN --mount=from=`. */
import { goQuote } from '../../../go-quote.ts';
import { familiarString, parseReference } from '../../../images/reference.ts';
import { A3sError } from '../../../errors.ts';
import { DockerfileError } from '../error.ts';
import type { Stage } from '../parse-dockerfile.ts';
import { expand } from '../words/expand.ts';
import type { Source } from './types.ts';

const NO_VARIABLES = new Map<string, string>();

export class StageNames {
  /** Indices of stages, by name in lower case; of two with one name the last one so far. */
  readonly #byName = new Map<string, number>();
  readonly #count: number;
  readonly #contexts: ReadonlySet<string>;

  constructor(stages: readonly Stage[], contexts: ReadonlySet<string>) {
    this.#count = stages.length;
    this.#contexts = contexts;
  }

  /** From here on the name means this stage. */
  add(name: string, index: number): void {
    if (name !== '') this.#byName.set(name, index);
  }

  /** The stage with this name, or this number. */
  find(name: string): number | undefined {
    const named = this.#byName.get(name.toLowerCase());
    if (named !== undefined || !/^\d{1,9}$/.test(name)) return named;
    return Number(name) < this.#count ? Number(name) : undefined;
  }

  /** What FROM means: names of stages count as they are written, because images have no capitals. */
  base(name: string): Source {
    const index = this.#byName.get(name);
    return index === undefined ? this.#outside(name) : { kind: 'stage', index };
  }

  /** @throws DockerfileError */
  copyFrom(from: string): Source {
    if (expand(from, NO_VARIABLES, { escape: '\\' }).text !== from) {
      throw new DockerfileError(
        'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
      );
    }
    const index = this.find(from);
    if (index !== undefined) return { kind: 'stage', index };
    if (/^[+-]?\d+$/.test(from)) throw new DockerfileError(`invalid stage index ${Number(from)}`);
    return this.#outside(from);
  }

  /** Numbers are no stages here. */
  mountFrom(from: string): Source {
    const index = this.#byName.get(from.toLowerCase());
    return index === undefined ? this.#outside(from) : { kind: 'stage', index };
  }

  /** The `--build-context` that takes the place of a stage or an image. */
  context(name: string): Source | undefined {
    if (name === '' || name === 'scratch' || name === 'context') return undefined;
    const short = shortName(name);
    return this.#contexts.has(short) ? { kind: 'context', name: short } : undefined;
  }

  #outside(name: string): Source {
    if (name === 'scratch') return { kind: 'scratch' };
    return this.context(name) ?? { kind: 'image', reference: name };
  }
}

/** As `--build-context` names it: without the tag that everything has. */
function shortName(name: string): string {
  try {
    return familiarString(parseReference(name)).replace(/:latest$/, '');
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    const message = `failed to parse stage name ${goQuote(name)}: ${error.message}`;
    throw new DockerfileError(message, undefined, error);
  }
}
