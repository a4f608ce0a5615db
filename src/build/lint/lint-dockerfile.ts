/** BuildKit's checks of a Dockerfile (`build --check`, and the warnings of a build). */
import { A3sError } from '../../errors.ts';
import { DockerfileError, withLines } from '../dockerfile/error.ts';
import { type Dockerfile, parseDockerfile } from '../dockerfile/parse-dockerfile.ts';
import { globalArguments } from '../dockerfile/plan/global-arguments.ts';
import { type PlanOptions, resolveStages } from '../dockerfile/plan/resolve-stages.ts';
import type { BuildPlan } from '../dockerfile/plan/types.ts';
import { parseSyntax } from '../dockerfile/syntax/parse-syntax.ts';
import type { SyntaxTree } from '../dockerfile/syntax/tree.ts';
import type { BuildWarning } from '../progress.ts';
import { NO_OPTIONS, parseCheckOptions } from './check-options.ts';
import { Findings } from './findings.ts';
import { lintDefaultBases, lintFrom } from './from-rules.ts';
import { type LintImages, StagesLinter } from './stages-linter.ts';
import { lintCasing, lintStageNames, lintSyntax } from './written.ts';

export interface LintOptions extends Omit<PlanOptions, 'triggers' | 'every'> {
  /** Of the context. */
  ignorePatterns: readonly string[];
  /** What is known of images. */
  images: LintImages;
  /** Stages that the target does not need as well. */
  every: boolean;
}

export interface LintResult {
  warnings: readonly BuildWarning[];
  /** What ends a build of this Dockerfile, if that is known without building. */
  error: DockerfileError | undefined;
  /** Findings where `check=error=true` makes them end a build; `error` is something else then, or nothing. */
  violation: DockerfileError | undefined;
}

const CHECK_ARGUMENT = 'BUILDKIT_DOCKERFILE_CHECK';

/** Finds what is to be said of the text, up to the first error. Never throws for what is in it. */
export function lintDockerfile(text: string, options: LintOptions): LintResult {
  let findings = new Findings(NO_OPTIONS);
  let error: DockerfileError | undefined;
  try {
    const tree = parseSyntax(text);
    findings = new Findings(checkOptions(tree, options));
    lintTree(text, tree, options, findings);
  } catch (cause) {
    if (!(cause instanceof A3sError)) throw cause;
    error = cause instanceof DockerfileError ? cause : new DockerfileError(cause.message, undefined, cause);
  }
  return { warnings: findings.all, error, violation: findings.violation };
}

function checkOptions({ directives }: SyntaxTree, { buildArguments }: LintOptions) {
  const given = buildArguments.get(CHECK_ARGUMENT);
  const what = given === undefined ? 'check options' : `build-arg:${CHECK_ARGUMENT}`;
  try {
    return parseCheckOptions(given ?? directives.check ?? '');
  } catch (cause) {
    if (!(cause instanceof DockerfileError)) throw cause;
    throw new DockerfileError(`failed to parse ${what}: ${cause.message}`, undefined, cause);
  }
}

function lintTree(text: string, tree: SyntaxTree, options: LintOptions, findings: Findings): void {
  const dockerfile = understood(text, tree, findings);
  lintStageNames(dockerfile.stages, findings);
  lintCasing(dockerfile.stages, findings);
  const targetName = options.target ?? dockerfile.stages.at(-1)?.from.name ?? '';
  const defaults = withoutFailure(() =>
    globalArguments(dockerfile, { ...options, targetName, buildArguments: new Map() }),
  );
  if (defaults !== undefined) lintDefaultBases(dockerfile, defaults, findings);
  const globals = globalArguments(dockerfile, { ...options, targetName });
  const comments = new Map(tree.nodes.map((node) => [node.lines.first, node.comments]));
  const below = (line: number): Findings => findings.below(comments.get(line) ?? []);
  lintFroms(dockerfile, globals, below);
  new StagesLinter(planOf(dockerfile, options), options, below).lintAll();
}

/** Instructions before one that cannot be understood have findings all the same. */
function understood(text: string, tree: SyntaxTree, findings: Findings): Dockerfile {
  try {
    const dockerfile = parseDockerfile(text);
    lintSyntax(tree, undefined, findings);
    return dockerfile;
  } catch (error) {
    if (error instanceof DockerfileError) lintSyntax(tree, error.lines?.first, findings);
    throw error;
  }
}

function lintFroms(
  { stages, escape, globalArguments: given }: Dockerfile,
  globals: ReadonlyMap<string, string>,
  below: (line: number) => Findings,
): void {
  const declared = new Set(given.flatMap((instruction) => instruction.arguments.map(({ key }) => key)));
  for (const { from } of stages) {
    withLines(
      () => from.lines,
      () => lintFrom(from, { globals, escape, declared }, below(from.lines.first)),
    );
  }
}

function planOf(dockerfile: Dockerfile, options: LintOptions): BuildPlan {
  const triggers = (reference: string): readonly string[] => options.images(reference)?.triggers ?? [];
  return resolveStages(dockerfile, { ...options, triggers });
}

function withoutFailure<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof DockerfileError) return undefined;
    throw error;
  }
}
