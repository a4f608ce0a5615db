/** The variables of a stage as its instructions set them: ENV and ARG share their names, and the later one counts. */
import { DockerfileError } from '../error.ts';

/** Names and values together; Linux hands no more to a program. */
const BYTES_MAX = 2 * 1024 * 1024;
/** What a RUN finds its programs with when the image does not say (BuildKit's system.DefaultPathEnvUnix). */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export class StageVariables {
  readonly #values: Map<string, string>;
  /** ARGs of the stage and of the stages below it, in order of their first appearance. */
  readonly #declared: Set<string>;
  #length: number;

  private constructor(values: Map<string, string>, declared: Set<string>, length: number) {
    this.#values = values;
    this.#declared = declared;
    this.#length = length;
  }

  /** Those of a stage on an image, whose configuration has `NAME=value` each. */
  static ofImage(environment: readonly string[]): StageVariables {
    const variables = new StageVariables(new Map(), new Set(), 0);
    for (const entry of environment) {
      const equals = entry.indexOf('=');
      if (equals < 0) variables.set(entry, '');
      else variables.set(entry.slice(0, equals), entry.slice(equals + 1));
    }
    if (variables.get('PATH') === undefined) variables.set('PATH', DEFAULT_PATH);
    return variables;
  }

  /** Those of a stage on this one, which gets its ARGs as well. */
  inherit(): StageVariables {
    return new StageVariables(new Map(this.#values), new Set(this.#declared), this.#length);
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** What a RUN gets. */
  get environment(): ReadonlyMap<string, string> {
    return this.#values;
  }

  /** The ARGs with their values, for the history of a RUN; one without a value has an empty one. */
  get declared(): readonly (readonly [string, string])[] {
    return [...this.#declared].map((name) => [name, this.#values.get(name) ?? ''] as const);
  }

  /** @throws DockerfileError when there is more than a program could get. */
  set(name: string, value: string): void {
    const old = this.#values.get(name);
    this.#length += value.length - (old === undefined ? -name.length : old.length);
    if (this.#length > BYTES_MAX) throw new DockerfileError('the environment is too large');
    this.#values.set(name, value);
  }

  /** ARG; an undefined value: it has none. */
  declare(name: string, value: string | undefined): void {
    this.#declared.add(name);
    if (value !== undefined) this.set(name, value);
  }
}
