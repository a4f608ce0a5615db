/** Takes findings of rules, those that count. */
import type { Lines } from '../dockerfile/error.ts';
import { DockerfileError } from '../dockerfile/error.ts';
import type { BuildWarning } from '../progress.ts';
import { type CheckOptions, withComments } from './check-options.ts';
import { rules, type RuleName, ruleUrl } from './rules.ts';

export class Findings {
  readonly #options: CheckOptions;
  readonly #found: BuildWarning[];

  constructor(options: CheckOptions, found: BuildWarning[] = []) {
    this.#options = options;
    this.#found = found;
  }

  /** For an instruction with these comments above it; what is found is kept here. */
  below(comments: readonly string[]): Findings {
    const options = withComments(this.#options, comments);
    return options === this.#options ? this : new Findings(options, this.#found);
  }

  add(rule: RuleName, message: string, lines: Lines): void {
    if (!this.#counts(rule)) return;
    const { description } = rules[rule];
    const range = [lines.first, lines.last] as const;
    this.#found.push({ rule, description, url: ruleUrl(rule), message, lines: [range] });
  }

  get all(): readonly BuildWarning[] {
    return this.#found;
  }

  /** What `error=true` makes of findings. */
  get violation(): DockerfileError | undefined {
    if (!this.#options.error || this.#found.length === 0) return undefined;
    const names = new Set(this.#found.map(({ rule }) => rule));
    return new DockerfileError(`lint violation found for rules: ${[...names].join(', ')}`);
  }

  #counts(rule: RuleName): boolean {
    const { skip, experimental } = this.#options;
    if ('experimental' in rules[rule]) return experimental === 'all' || experimental.has(rule);
    return skip !== 'all' && !skip.has(rule);
  }
}
