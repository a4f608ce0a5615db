/** What `RUN --mount` asks for, found and opened (BuildKit's dockerfile2llb/convert_runmount.go and llb/exec.go). */
import { posix } from 'node:path';

import type { CacheMountRequest } from '../cache/mounts.ts';
import type { Run } from '../dockerfile/instructions/types.ts';
import { checkMountTarget } from '../dockerfile/instructions/mount.ts';
import type { Mount } from '../dockerfile/instructions/mount-types.ts';
import type { PlannedStage, Source } from '../dockerfile/plan/types.ts';
import type { RunMount } from '../stage/types.ts';
import { selectForMount } from '../transfer/select-for-mount.ts';
import type { Step } from './evaluate-stages.ts';
import { StepFailure } from './failure.ts';
import { putInitialFiles } from './initial-files.ts';
import type { KeyPart } from './key.ts';
import type { BuildSession } from './session.ts';

const SECRET_MODE = 0o400;
const SSH_MODE = 0o600;
const CACHE_MODE = 0o755;

/** A mount that is ready. */
export interface PreparedMount {
  /** Where it is to be; empty without a mount. */
  target: string;
  /** What the step's result depends on. */
  key: KeyPart;
  /** Null: there is none, and none is needed. @param shareOf the name of the share that shows a cache */
  mount: ((shareOf: (cache: CacheMountRequest) => string) => RunMount) | null;
  environment: readonly (readonly [string, string])[];
  cache: CacheMountRequest | null;
}

export interface MountSurroundings {
  session: BuildSession;
  stage: PlannedStage;
  workingDirectory: string;
}

/**
 * The mounts of a RUN, by their targets: one below another comes after it, in whichever order they are asked for.
 * @param sources where each one's `from` leads
 * @throws StepFailure for a secret or an agent that is required and was not given; what selectForMount throws
 */
export async function prepareMounts(
  run: Run,
  sources: readonly (Source | undefined)[],
  around: MountSurroundings,
): Promise<PreparedMount[]> {
  const prepared: PreparedMount[] = [];
  let agents = 0;
  for (const [place, mount] of run.mounts.entries()) {
    const one = await prepare(mount, { run, source: sources[place], agents, ...around });
    if (mount.type === 'ssh' && one.mount !== null) agents += 1;
    prepared.push(one);
  }
  return prepared.toSorted(
    (one, other) => Number(one.target > other.target) - Number(one.target < other.target),
  );
}

/**
 * The caches that the commands of a stage use: its VM has to have them from the start.
 * @throws what selectForMount throws
 */
export async function foreseenCaches(
  session: BuildSession,
  stage: PlannedStage,
  steps: readonly Step[],
): Promise<CacheMountRequest[]> {
  const found: CacheMountRequest[] = [];
  for (const { instruction, sources } of steps) {
    if (instruction.kind !== 'run') continue;
    for (const [place, mount] of instruction.mounts.entries()) {
      if (mount.type !== 'cache') continue;
      found.push(await requestOf(mount, { session, stage, source: sources[place] }));
    }
  }
  return found;
}

interface Around extends MountSurroundings {
  run: Run;
  source: Source | undefined;
  /** How many agents the RUN has already. */
  agents: number;
}

function prepare(mount: Mount, around: Around): Promise<PreparedMount> | PreparedMount {
  switch (mount.type) {
    case 'bind':
      return bind(mount, around);
    case 'cache':
      return cache(mount, around);
    case 'tmpfs': {
      const target = targetOf(mount, around);
      const sizeBytes = mount.size === 0 ? null : mount.size;
      const made: RunMount = { type: 'tmpfs', target, sizeBytes };
      return { target, key: ['tmpfs', target, sizeBytes], mount: () => made, environment: [], cache: null };
    }
    case 'secret':
      return secret(mount, around);
    case 'ssh':
      return ssh(mount, around);
    default:
      return mount.type satisfies never;
  }
}

async function bind(mount: Mount, around: Around): Promise<PreparedMount> {
  const { session, stage, source } = around;
  const { signal } = session;
  const target = targetOf(mount, around);
  const { tree } = await session.sources.open(source, stage);
  const content = await selectForMount(tree, posix.resolve('/', mount.source), { signal });
  return {
    target,
    key: ['bind', target, mount.readonly, content.contentDigest],
    mount: () => ({
      type: 'bind',
      target,
      readOnly: mount.readonly,
      tar: content.tar(signal),
      single: content.single,
    }),
    environment: [],
    cache: null,
  };
}

/** What a cache holds does not count: a command must not depend on it. */
async function cache(mount: Mount, around: Around): Promise<PreparedMount> {
  const target = targetOf(mount, around);
  const request = await requestOf(mount, around);
  const { id } = request;
  const { mode = CACHE_MODE, uid = 0, gid = 0, readonly: readOnly } = mount;
  return {
    target,
    key: ['cache', target, id, readOnly],
    mount: (shareOf) => ({ type: 'cache', target, readOnly, share: shareOf(request), mode, uid, gid }),
    environment: [],
    cache: request,
  };
}

async function requestOf(
  mount: Mount,
  { session, stage, source }: Pick<Around, 'session' | 'stage' | 'source'>,
): Promise<CacheMountRequest> {
  const id = mount.id === '' ? posix.join(mount.target, '.') : mount.id;
  const sharing = mount.sharing === '' ? 'shared' : mount.sharing;
  const description = `cached mount ${mount.target}`;
  if (source === undefined) return { id, sharing, initial: null, description };
  const { signal } = session;
  const { tree } = await session.sources.open(source, stage);
  const content = await selectForMount(tree, posix.resolve('/', mount.source), { signal });
  const { env } = session.remote;
  const fill = (directory: string): Promise<void> => putInitialFiles(content, directory, { env, signal });
  return { id, sharing, initial: { digest: content.contentDigest, fill }, description };
}

async function secret(mount: Mount, around: Around): Promise<PreparedMount> {
  const { session, run } = around;
  const given = mount.source === '' ? mount.id : mount.source;
  const id = given === '' ? posix.basename(mount.target) : given;
  const inFile = mount.env === undefined || mount.target !== '';
  const target = mount.target === '' ? `/run/secrets/${posix.basename(id)}` : targetOf(mount, around);
  const content = await session.secrets.read(id);
  if (content === undefined && mount.required) throw new StepFailure(`secret ${id}: not found`, run.lines);
  const { mode = SECRET_MODE, uid = 0, gid = 0 } = mount;
  return {
    target: inFile ? target : '',
    key: ['secret', inFile ? target : '', id, mount.env ?? '', mode, uid, gid],
    mount:
      content === undefined || !inFile ? null : () => ({ type: 'secret', target, content, mode, uid, gid }),
    environment: content === undefined || mount.env === undefined ? [] : [[mount.env, content.toString()]],
    cache: null,
  };
}

function ssh(mount: Mount, around: Around): PreparedMount {
  const { session, run, agents } = around;
  const id = mount.id === '' ? 'default' : mount.id;
  const agentSocket = session.ssh.socket(id);
  if (agentSocket === undefined && mount.required) {
    throw new StepFailure(`no SSH key ${JSON.stringify(id)} forwarded from the client`, run.lines);
  }
  const target = mount.target === '' ? `/run/buildkit/ssh_agent.${agents}` : targetOf(mount, around);
  const { mode = SSH_MODE, uid = 0, gid = 0 } = mount;
  return {
    target,
    key: ['ssh', target, id, mode, uid, gid],
    mount: agentSocket === undefined ? null : () => ({ type: 'ssh', target, mode, uid, gid, agentSocket }),
    environment: agentSocket === undefined || agents > 0 ? [] : [['SSH_AUTH_SOCK', target]],
    cache: null,
  };
}

/** @throws DockerfileError for the root itself */
function targetOf(mount: Mount, { workingDirectory }: MountSurroundings): string {
  const target = posix.resolve('/', workingDirectory, mount.target);
  checkMountTarget(target);
  return target;
}
