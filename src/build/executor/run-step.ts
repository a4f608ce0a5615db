/** RUN: found in the cache, or run in the stage's VM. */
import type { StepResult } from '../cache/built-layer.ts';
import { runCommandLine } from '../dockerfile/evaluate/command-line.ts';
import type { Run } from '../dockerfile/instructions/types.ts';
import type { RunStep } from '../stage/types.ts';
import type { Step } from './evaluate-stages.ts';
import { complaintOf, failureOf, StepFailure } from './failure.ts';
import type { Machine } from './machine.ts';
import { type PreparedMount, prepareMounts } from './mounts.ts';
import type { StageProgress } from './stage-progress.ts';
import type { StepReport } from './steps.ts';

const SCRIPT_MODE = 0o755;

/**
 * @returns what the command left behind, and the key that it is cached under.
 * @throws StepFailure when the command fails.
 */
export async function runStep(
  progress: StageProgress,
  step: Step,
  run: Run,
  report: StepReport,
): Promise<{ result: StepResult; key: string }> {
  const { session, stage, draft, chain } = progress;
  checkRights(run);
  const { words: args, script } = runCommandLine(run, draft.shell);
  const mounts = await prepareMounts(run, step.sources, {
    session,
    stage,
    workingDirectory: draft.workingDirectory,
  });
  const network = session.run.network === 'none' || run.network === 'none' ? 'none' : 'default';
  const plain = { args, cwd: draft.workingDirectory, user: draft.user, network } as const;
  const { hosts, ulimits, shmBytes } = session.run;
  const key = progress.keyOf('run', {
    ...plain,
    hosts,
    ulimits: ulimits.map(({ name, soft, hard }) => [name, soft, hard]),
    shmBytes,
    root: chain.identity,
    env: Object.fromEntries(step.environment),
    script: script?.content ?? null,
    mounts: mounts.map((mount) => mount.key),
  });
  const ready = (shareOf: Parameters<NonNullable<PreparedMount['mount']>>[0]): RunStep => ({
    ...plain,
    env: environmentOf(step, mounts, session.run.proxies),
    mounts: [
      ...mounts.flatMap(({ mount }) => (mount === null ? [] : [mount(shareOf)])),
      ...(script === undefined
        ? []
        : [
            {
              type: 'script',
              target: script.path,
              content: Buffer.from(script.content),
              mode: SCRIPT_MODE,
              uid: 0,
              gid: 0,
            } as const,
          ]),
    ],
    hosts,
    ulimits,
    shmBytes,
  });
  const caches = mounts.flatMap(({ cache }) => cache ?? []);
  const result = await progress.cached(key, step, report, async () => {
    const { machine } = progress;
    const command = (): ReturnType<Machine['run']> => machine.run(chain, ready, caches, report);
    const { result: end, layer } = await session.slots.hold(command, machine.isUp);
    const complaint = complaintOf(end);
    if (complaint !== undefined) report.stderr(Buffer.from(`${complaint}\n`));
    const failure = failureOf(args, end, run.lines);
    if (failure !== null) throw failure;
    return layer;
  });
  return { result, key };
}

/** What BuildKit's daemon allows only when it is told to, and a VM has no use for. */
function checkRights(run: Run): void {
  if (run.network === 'host') {
    throw new StepFailure('network.host is not allowed: a RUN has a network of its own', run.lines);
  }
  if (run.security === 'insecure') throw new StepFailure('security.insecure is not allowed', run.lines);
}

function environmentOf(
  { environment }: Step,
  mounts: readonly PreparedMount[],
  proxies: ReadonlyMap<string, string>,
): string[] {
  const all = new Map([...proxies, ...environment, ...mounts.flatMap((mount) => mount.environment)]);
  return [...all].map(([name, value]) => `${name}=${value}`);
}
