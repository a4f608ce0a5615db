/** `build`: a Dockerfile and its context become an image, or files. */
import { availableParallelism } from 'node:os';

import { BuildCache } from '../build/cache/build-cache.ts';
import { trimBuildCache } from '../build/cache/trim.ts';
import type { OpenedContext } from '../build/context/types.ts';
import { blamedLines } from '../build/executor/blame.ts';
import { evaluateStages } from '../build/executor/evaluate-stages.ts';
import { executePlan, StageResults } from '../build/executor/execute.ts';
import { Once, Slots } from '../build/executor/once.ts';
import { planBuild, type PlannedBuild } from '../build/executor/plan.ts';
import type { BuildSession } from '../build/executor/session.ts';
import { Sources } from '../build/executor/sources.ts';
import type { BuiltStage } from '../build/executor/stage.ts';
import { Steps } from '../build/executor/steps.ts';
import type { DockerfileError } from '../build/dockerfile/error.ts';
import { parseDockerfile } from '../build/dockerfile/parse-dockerfile.ts';
import { metadataJson } from '../build/output/metadata.ts';
import { A3sError } from '../errors.ts';
import { takeLease } from '../images/store/leases.ts';
import { BuildError, type BuildEvents, type BuildOutcome, type BuildRequest } from './build-types.ts';
import { Bases } from './build/bases.ts';
import { Contexts } from './build/contexts.ts';
import { openDefinition } from './build/definition.ts';
import { findingsIn } from './build/findings.ts';
import { type BuildInputs, readInputs } from './build/inputs.ts';
import { prepareNotes, writeNote } from './build/noted-files.ts';
import { newBuildRef, publish } from './build/publish.ts';
import { sweepKilledBuilds } from './build/sweep.ts';
import type { Engine } from './types.ts';

/** VMs that work at a time: each has processors of its own. */
const COMMANDS_AT_ONCE = Math.max(2, availableParallelism());

/**
 * Builds.
 * @throws BuildError with BuildKit's message and the lines to blame; A3sError `usage` for what was asked for; the signal's reason
 */
export async function buildImage(
  engine: Engine,
  request: BuildRequest,
  events: BuildEvents,
): Promise<BuildOutcome> {
  prepareNotes(request);
  const given = new AbortController();
  const signal = AbortSignal.any([request.signal, given.signal]);
  const steps = new Steps(events);
  await sweepKilledBuilds(engine.layout);
  await using inputs = await readInputs(engine, request, signal);
  await using context = await loadContext(inputs, steps, signal);
  try {
    const fail = (error: unknown): void => given.abort(error);
    const outcome = await buildFrom({ engine, request, inputs, context, steps, signal, fail });
    await trim(engine);
    return outcome;
  } catch (error) {
    throw explained(error, context);
  }
}

/** A build that is done is not undone by what it leaves behind. */
async function trim({ layout, notify }: Engine): Promise<void> {
  try {
    await trimBuildCache(layout);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    notify(`WARNING: the build cache could not be made smaller: ${reason}`);
  }
}

interface Build {
  engine: Engine;
  request: BuildRequest;
  inputs: BuildInputs;
  context: OpenedContext;
  steps: Steps;
  signal: AbortSignal;
  fail: (error: unknown) => void;
}

async function buildFrom(build: Build): Promise<BuildOutcome> {
  const { engine, request, inputs, steps, signal } = build;
  using lease = takeLease(engine.layout);
  const bases = new Bases(engine, { inputs, lease, steps, pull: request.pull, signal });
  const planned = await planWithFindings(build, bases);
  const { plan } = planned;
  const stageSteps = evaluateStages(plan, await bases.environmentOf(planned));
  // Names of stages are in lower case.
  const fresh = new Set(
    request.noCacheFilter.filter((name) => name !== '').map((name) => name.toLowerCase()),
  );
  const cache = new BuildCache(engine.layout, lease);
  for (const reference of request.cacheFrom) await bases.cacheFrom(cache, reference);
  const results = new StageResults(plan);
  await using contexts = contextsOf(build, bases, cache);
  const session: BuildSession = {
    layout: engine.layout,
    lease,
    cache,
    steps,
    sources: sourcesOf({ planned, bases, contexts, results }),
    secrets: inputs.secrets,
    ssh: inputs.ssh,
    run: inputs.run,
    machine: inputs.machine,
    remote: inputs.remote,
    epoch: inputs.epoch,
    isFresh: (stage) => request.noCache || fresh.has(stage),
    listings: new Map(),
    once: new Once(),
    slots: new Slots(COMMANDS_AT_ONCE),
    signal,
  };
  const target = await executePlan(
    session,
    { plan, steps: stageSteps, results },
    (stage) => bases.open(stage, { planned, contexts }),
    build.fail,
  );
  // Awaited: the lease and the contexts are there until everything is published.
  return await finish(build, lease, target);
}

/** The plan; what the checks find is told also when there is none. */
async function planWithFindings(
  { engine, inputs, context, steps }: Build,
  bases: Bases,
): Promise<PlannedBuild> {
  const { planOptions } = inputs;
  const { ignorePatterns } = context;
  const tell = async (): Promise<DockerfileError | undefined> => {
    const findings = await findingsIn(engine, textOf(context), { ...planOptions, ignorePatterns });
    for (const warning of findings.warnings) steps.warn(warning);
    return findings.violation;
  };
  let planned: PlannedBuild;
  try {
    planned = await planBuild(parseDockerfile(textOf(context)), planOptions, bases.load);
  } catch (error) {
    await tell();
    throw error;
  }
  const violation = await tell();
  if (violation !== undefined) throw violation;
  return planned;
}

function textOf({ dockerfile }: OpenedContext): string {
  return dockerfile.text.toString('utf8');
}

async function finish(
  { engine, request, inputs, context, steps, signal }: Build,
  lease: ReturnType<typeof takeLease>,
  target: BuiltStage,
): Promise<BuildOutcome> {
  target.draft.label(Object.fromEntries(request.labels));
  const image = await publish(engine, target, inputs.outputs, {
    lease,
    steps,
    annotations: inputs.annotations,
    inlineCache: inputs.inlineCache,
    epoch: inputs.epoch,
    stdout: request.stdout,
    signal,
  });
  if (request.iidFile !== undefined) writeNote(request.iidFile, image?.id ?? '');
  if (request.metadataFile !== undefined) {
    const names = inputs.outputs.flatMap((output) => ('names' in output ? output.names : []));
    writeNote(request.metadataFile, metadataJson({ buildRef: newBuildRef(), image, names }));
  }
  return { imageId: image?.id, dockerfile: { file: context.dockerfile.name, text: textOf(context) } };
}

/** The context and its Dockerfile, as the steps that BuildKit makes of them. */
async function loadContext(inputs: BuildInputs, steps: Steps, signal: AbortSignal): Promise<OpenedContext> {
  const name = `[internal] load build definition from ${inputs.fileName}`;
  const open = (): Promise<OpenedContext> => openDefinition(inputs);
  // That nothing is there on this machine is no step's failure.
  const local = isOfThisMachine(inputs.contextRequest.context) ? await open() : undefined;
  const context = await steps.run(name, signal, async (report) => {
    const opened = local ?? (await open());
    report.finished('transferring dockerfile:', opened.dockerfile.text.length);
    return opened;
  });
  await steps.run('[internal] load .dockerignore', signal, (report) => {
    const bytes = Buffer.byteLength(context.ignorePatterns.join('\n'));
    report.finished('transferring context:', bytes);
    return Promise.resolve();
  });
  return context;
}

/** What no URL can be; others may be paths as well. */
function isOfThisMachine(context: string): boolean {
  return context !== '-' && !context.includes(':');
}

function contextsOf({ context, inputs, steps, signal }: Build, bases: Bases, cache: BuildCache): Contexts {
  return new Contexts({
    context,
    named: inputs.named,
    remote: inputs.remote,
    steps,
    memo: {
      get: (key) => {
        const known = cache.recall(key);
        return typeof known === 'string' ? known : undefined;
      },
      set: (key, digest) => cache.remember(key, digest),
    },
    signal,
    image: (name, named, stage) => bases.named(name, named, stage),
  });
}

function sourcesOf({
  planned,
  bases,
  contexts,
  results,
}: {
  planned: PlannedBuild;
  bases: Bases;
  contexts: Contexts;
  results: StageResults;
}): Sources {
  return new Sources({
    context: () => contexts.main(),
    named: (name, stage) => contexts.named(name, stage),
    image: async (reference, stage) => {
      const image = planned.imageOf(reference, stage.platform);
      return (await bases.onImage(reference, image)).chain;
    },
    stage: async (index) => (await results.of(index)).chain,
  });
}

function explained(error: unknown, { dockerfile }: OpenedContext): unknown {
  if (!(error instanceof A3sError)) return error;
  const lines = blamedLines(error);
  const source =
    lines === undefined
      ? undefined
      : { file: dockerfile.name, text: dockerfile.text.toString('utf8'), lines };
  return new BuildError(error.message, source, {
    cause: error,
    ...(error.exitStatus === undefined ? {} : { exitStatus: error.exitStatus }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
