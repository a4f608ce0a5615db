/** What `build --call` tells of a Dockerfile besides findings (BuildKit's frontend/subrequests). Pure. */
import type { Lines } from '../dockerfile/error.ts';
import { StageEvaluator } from '../dockerfile/evaluate/stage-evaluator.ts';
import { StageVariables } from '../dockerfile/evaluate/stage-variables.ts';
import type { Arg, Instruction, Run } from '../dockerfile/instructions/types.ts';
import { parseDockerfile } from '../dockerfile/parse-dockerfile.ts';
import { type PlanOptions, resolveStages } from '../dockerfile/plan/resolve-stages.ts';
import type { PlannedStage } from '../dockerfile/plan/types.ts';
import { expand } from '../dockerfile/words/expand.ts';
import type { LintImages } from './stages-linter.ts';

/** Empty texts are for what there is none of. */
export interface BuildTarget {
  name: string;
  default: boolean;
  description: string;
  base: string;
  platform: string;
  lines: Lines;
}

export interface BuildArgument {
  name: string;
  description: string;
  value: string;
  lines: Lines;
}

export interface BuildSecret {
  name: string;
  required: boolean;
  lines: Lines;
}

export interface BuildOutline {
  name: string;
  description: string;
  /** In the order of the file, as the others. */
  args: BuildArgument[];
  secrets: BuildSecret[];
  ssh: BuildSecret[];
}

export interface OutlineOptions extends Omit<PlanOptions, 'triggers' | 'every'> {
  images: LintImages;
}

/** The stages. @throws DockerfileError */
export function listTargets(text: string): BuildTarget[] {
  const { stages } = parseDockerfile(text);
  return stages.map(({ from }, index) => ({
    name: from.name,
    default: index === stages.length - 1,
    description: from.description,
    base: from.base,
    platform: from.platform,
    lines: from.lines,
  }));
}

/** What a build of the target takes: arguments, secrets, agents. @throws DockerfileError */
export function outlineOf(text: string, options: OutlineOptions): BuildOutline {
  const dockerfile = parseDockerfile(text);
  const triggers = (reference: string): readonly string[] => options.images(reference)?.triggers ?? [];
  const plan = resolveStages(dockerfile, { ...options, triggers });
  const { from } = plan.target;
  const globals = new Map(
    dockerfile.globalArguments.flatMap(({ arguments: given, lines }) =>
      given.map(({ key, value, description }) => [
        key,
        { name: key, description, value: plan.globals.get(key) ?? '', lines, written: value ?? '' },
      ]),
    ),
  );
  const args = new Map<string, BuildArgument>();
  const use = (name: string): void => {
    const global = globals.get(name);
    if (global === undefined || args.has(name)) return;
    const { written, ...argument } = global;
    args.set(name, argument);
    // Those that its value is made of count as well.
    for (const other of expand(written, plan.globals, plan).used) use(other);
  };
  const mounts = { secret: new Map<string, BuildSecret>(), ssh: new Map<string, BuildSecret>() };
  const variables = new Map<number, StageVariables>();
  for (const stage of plan.stages) {
    for (const word of [stage.from.base, stage.from.platform])
      expand(word, plan.globals, plan).used.forEach(use);
    const own = variablesOf(stage, variables, options.images);
    variables.set(stage.index, own);
    const evaluator = new StageEvaluator(plan, own);
    for (const { instruction } of stage.instructions) {
      const inherits = (name: string): boolean => isInherited(instruction, name, options, plan.globals);
      const evaluated = evaluator.evaluate(instruction);
      if (evaluated.kind === 'run') addMounts(evaluated, mounts);
      else if (evaluated.kind === 'arg') addArguments(evaluated, args, use, inherits);
    }
  }
  return {
    name: from.name,
    description: from.description,
    args: inOrder(args),
    secrets: inOrder(mounts.secret),
    ssh: inOrder(mounts.ssh),
  };
}

function variablesOf(
  { base }: PlannedStage,
  stages: ReadonlyMap<number, StageVariables>,
  images: LintImages,
): StageVariables {
  const below = base.kind === 'stage' ? stages.get(base.index) : undefined;
  if (below !== undefined) return below.inherit();
  const image = base.kind === 'image' ? images(base.reference) : undefined;
  return StageVariables.ofImage(image?.environment ?? []);
}

/** An ARG that only repeats one before the first FROM. */
function isInherited(
  instruction: Instruction,
  name: string,
  { buildArguments }: OutlineOptions,
  globals: ReadonlyMap<string, string>,
): boolean {
  if (instruction.kind !== 'arg' || buildArguments.has(name) || !globals.has(name)) return false;
  return instruction.arguments.some(({ key, value }) => key === name && value === null);
}

function addArguments(
  { arguments: given, lines }: Arg,
  args: Map<string, BuildArgument>,
  use: (name: string) => void,
  inherits: (name: string) => boolean,
): void {
  for (const { key, value, description } of given) {
    if (inherits(key)) use(key);
    else if (!args.has(key)) args.set(key, { name: key, description, value: value ?? '', lines });
  }
}

function addMounts(
  { mounts, lines }: Run,
  found: { secret: Map<string, BuildSecret>; ssh: Map<string, BuildSecret> },
): void {
  for (const { type, id, source, target, required } of mounts) {
    if (type !== 'secret' && type !== 'ssh') continue;
    const name =
      type === 'ssh'
        ? id || 'default'
        : source || id || (target.split('/').findLast((part) => part !== '') ?? '');
    if (!found[type].has(name)) found[type].set(name, { name, required, lines });
  }
}

function inOrder<T extends { lines: Lines }>(found: ReadonlyMap<string, T>): T[] {
  return [...found.values()].toSorted((one, other) => one.lines.first - other.lines.first);
}
