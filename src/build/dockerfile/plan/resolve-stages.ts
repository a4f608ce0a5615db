/** Which stages are built, from what, and what they need of each other (BuildKit's dockerfile2llb). Pure. */
import { goQuote } from '../../../go-quote.ts';
import { type Platform, parsePlatform } from '../../../images/platform.ts';
import { A3sError } from '../../../errors.ts';
import { DockerfileError, withLines } from '../error.ts';
import type { Instruction } from '../instructions/types.ts';
import { type Dockerfile, parseTrigger, type Stage } from '../parse-dockerfile.ts';
import { suggest } from '../suggest.ts';
import type { Escape } from '../syntax/tree.ts';
import { expand } from '../words/expand.ts';
import { checkForCycles } from './cycles.ts';
import { type BuildArguments, globalArguments } from './global-arguments.ts';
import { StageNames } from './stage-names.ts';
import type { BuildPlan, PlannedInstruction, PlannedStage, Source } from './types.ts';

export interface PlanOptions {
  /** Name or number of the stage to build; undefined: the last. */
  target?: string | undefined;
  buildArguments: BuildArguments;
  /** What is built for. */
  platform: Platform;
  /** What the build runs on. */
  buildPlatform: Platform;
  /** True for a plan of all stages, those that the target does not need as well. */
  every?: boolean;
  /** Names given with `--build-context`. */
  contexts?: ReadonlySet<string>;
  /**
   * ONBUILD of an image, which the caller has read from its configuration. Triggers may need further images: resolve again with
   * theirs until the plan names no image that is new.
   */
  triggers?: (reference: string) => readonly string[];
}

/**
 * The plan of a build.
 * @throws DockerfileError in BuildKit's words, with the lines to blame.
 */
export function resolveStages(dockerfile: Dockerfile, options: PlanOptions): BuildPlan {
  const { stages, escape } = dockerfile;
  const targetName = options.target ?? stages.at(-1)?.from.name ?? '';
  const globals = globalArguments(dockerfile, { ...options, targetName });
  const names = new StageNames(stages, options.contexts ?? new Set());
  const planned = stages.map((stage, index) => begin(stage, index, { names, globals, escape, options }));
  const target = planned[findTarget(options.target, names, planned)];
  if (target === undefined) throw new DockerfileError('dockerfile contains no stages to build');
  for (const stage of planned) plan(stage, stages[stage.index], names);
  checkForCycles(planned);
  label(planned);
  const wanted = options.every === true ? planned : [target];
  const needed = collect(wanted, planned, names, options.triggers ?? (() => []));
  return { stages: needed, target, escape, globals, buildArguments: options.buildArguments };
}

interface Surroundings {
  names: StageNames;
  globals: ReadonlyMap<string, string>;
  escape: Escape;
  options: PlanOptions;
}

/** FROM. Its name means a stage only from the next one on. */
function begin({ from }: Stage, index: number, around: Surroundings): PlannedStage {
  return withLines(
    () => from.lines,
    () => {
      const base = expand(from.base, around.globals, { escape: around.escape }).text;
      if (base === '') throw new DockerfileError(`base name (${from.base}) should not be blank`);
      const platform = from.platform === '' ? around.options.platform : platformOf(from.platform, around);
      const source = around.names.context(from.name) ?? around.names.base(base);
      around.names.add(from.name, index);
      const label = from.name === '' ? `stage-${index}` : from.name;
      return { index, label, from, base: source, platform, instructions: [], needs: [], steps: 0 };
    },
  );
}

function platformOf(written: string, { globals, escape }: Surroundings): Platform {
  const { text, unset } = expand(written, globals, { escape });
  const hinted = (message: string): DockerfileError => {
    const [name = ''] = unset;
    return new DockerfileError(suggest(message, name, [...globals.keys()]));
  };
  if (text === '') throw hinted(`empty platform value from expression ${written}`);
  try {
    return parsePlatform(text);
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    throw hinted(`failed to parse platform ${written}: ${error.message}`);
  }
}

function findTarget(name: string | undefined, names: StageNames, planned: readonly PlannedStage[]): number {
  if (name === undefined || name === '') return planned.length - 1;
  const index = names.find(name);
  if (index !== undefined) return index;
  const message = `target stage ${goQuote(name)} could not be found`;
  const labels = planned.map((stage) => stage.label);
  throw new DockerfileError(suggest(message, name, labels));
}

/** The stage's own instructions; none when a context takes its place. */
function plan(planned: PlannedStage, stage: Stage | undefined, names: StageNames): void {
  if (names.context(planned.from.name) !== undefined) return;
  for (const instruction of stage?.instructions ?? []) {
    planned.instructions.push(withSources(instruction, false, names));
  }
  planned.steps = Number(planned.base.kind === 'image' || planned.base.kind === 'context');
  planned.steps += planned.instructions.filter(({ instruction }) => STEPS.has(instruction.kind)).length;
}

const STEPS: ReadonlySet<string> = new Set(['add', 'copy', 'run', 'workdir']);

function withSources(instruction: Instruction, trigger: boolean, names: StageNames): PlannedInstruction {
  const sources = withLines(
    () => instruction.lines,
    (): (Source | undefined)[] => {
      if (instruction.kind === 'copy')
        return instruction.from === '' ? [] : [names.copyFrom(instruction.from)];
      if (instruction.kind !== 'run') return [];
      return instruction.mountFields.map((fields) => {
        const from = fields.findLast((field) => field.key === 'from')?.value ?? '';
        return from === '' ? undefined : names.mountFrom(from);
      });
    },
  );
  return { instruction, trigger, sources };
}

/** A stage that is alone needs no name. */
function label(planned: readonly PlannedStage[]): void {
  const [only, ...more] = planned;
  if (only === undefined || more.length > 0) return;
  if (only.instructions.every(({ sources }) => sources.length === 0)) only.label = '';
}

/** The stages that are wanted and what they need, with the triggers of their bases. */
function collect(
  wanted: readonly PlannedStage[],
  planned: readonly PlannedStage[],
  names: StageNames,
  triggersOf: (reference: string) => readonly string[],
): PlannedStage[] {
  const needed = new Set<PlannedStage>();
  const waiting = [...wanted];
  for (let stage = waiting.pop(); stage !== undefined; stage = waiting.pop()) {
    if (needed.has(stage)) continue;
    needed.add(stage);
    addTriggers(stage, planned, names, triggersOf);
    stage.needs = needsOf(stage, planned);
    waiting.push(...stage.needs.flatMap((index) => planned[index] ?? []));
  }
  return [...needed].toSorted((one, other) => one.index - other.index);
}

function addTriggers(
  stage: PlannedStage,
  planned: readonly PlannedStage[],
  names: StageNames,
  triggersOf: (reference: string) => readonly string[],
): void {
  const { base, from } = stage;
  const expressions =
    base.kind === 'stage'
      ? (planned[base.index]?.instructions ?? []).flatMap(({ instruction }) =>
          instruction.kind === 'onbuild' ? [instruction.expression] : [],
        )
      : base.kind === 'image'
        ? triggersOf(base.reference)
        : [];
  const triggers = expressions.map((text) => withSources(parseTrigger(text, from.lines), true, names));
  stage.instructions = [...triggers, ...stage.instructions];
  stage.steps += triggers.length;
}

/** @throws DockerfileError for a stage that comes later. */
function needsOf(stage: PlannedStage, planned: readonly PlannedStage[]): number[] {
  const needs = new Set(stage.base.kind === 'stage' ? [stage.base.index] : []);
  for (const { instruction, sources } of stage.instructions) {
    for (const [place, source] of sources.entries()) {
      if (source?.kind !== 'stage') continue;
      if (source.index >= stage.index) throw tooEarly(stage, instruction, place);
      needs.add(source.index);
    }
  }
  return [...needs].filter((index) => index < planned.length).toSorted((one, other) => one - other);
}

function tooEarly(stage: PlannedStage, instruction: Instruction, place: number): DockerfileError {
  if (instruction.kind === 'run') {
    const fields = instruction.mountFields[place] ?? [];
    const valueOf = (...keys: string[]): string =>
      goQuote(fields.findLast((field) => keys.includes(field.key))?.value ?? '');
    return new DockerfileError(
      `cannot mount from stage ${valueOf('from')} to ${valueOf('target', 'dst', 'destination')}, stage needs to be defined before current command`,
      instruction.lines,
    );
  }
  const from = instruction.kind === 'copy' ? instruction.from : '';
  return new DockerfileError(
    `cannot copy from stage ${goQuote(from)}, it needs to be defined before current stage ${goQuote(stage.label)}`,
    instruction.lines,
  );
}
