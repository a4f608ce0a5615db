/** One running VM: cloned from a template, connected, waiting for its request. */
import { A3sError } from '../errors.ts';
import { transferFile } from '../state/layout.ts';
import { AgentLink } from './agent-link.ts';
import { portTakenError } from './network.ts';
import { guestText } from './protocol/guest-text.ts';
import {
  AGENT_FD,
  QMP_FD,
  STATE_FD,
  spawnQemu,
  type QemuExit,
  type QemuProcess,
  type QemuSpawn,
} from './qemu/process.ts';
import { qemuArguments, type Disk, type MachineShape, type Share } from './qemu/args.ts';
import { loadState } from './qemu/migration.ts';
import { acceleratorOf, type RuntimeContext } from './templates/context.ts';
import type { FoundTemplate } from './templates/ensure.ts';
import type { EarlyVm } from './monitor/early-vm.ts';

/** What decides how QEMU is started. */
export interface ClonePlan {
  /** Names the process, by which leftovers are found; its transfer disk is in it. */
  boxDir: string;
  found: FoundTemplate;
  shape: MachineShape;
  root: string;
  scratch: string;
  /** The disk ends with the VM. */
  scratchFleeting?: boolean;
  netdev: string;
  shares: Share[];
  consoleFile: string;
}

export interface CloneOptions extends ClonePlan {
  /** The disk holds writes of an earlier start; otherwise it is a fresh copy of the template's. */
  scratchKept: boolean;
  /** How long the clone may take until its agent answers. */
  deadlineMs: number;
  /** The session is lost: QEMU ended, or the guest broke the protocol. Called at most once, after a successful start. */
  lost: (error: Error) => void;
}

export interface Vm {
  qemu: QemuProcess;
  link: AgentLink;
}

/** A clone that did not come up, and its template may be why. */
export class CloneError extends A3sError {
  /** `gone`: replaced or removed while the clone was made from it. */
  readonly template: 'unsound' | 'gone';

  constructor(template: 'unsound' | 'gone', ...details: ConstructorParameters<typeof A3sError>) {
    super(...details);
    this.template = template;
  }
}

/** How QEMU is started on a template. */
export function cloneSpawn(context: RuntimeContext, options: ClonePlan): QemuSpawn {
  const { template, accelerator } = options.found;
  return {
    binary: context.host.qemu.path,
    stateFile: template.state,
    args: qemuArguments({
      name: `a3s-box ${options.boxDir}`,
      shape: options.shape,
      accelerator: acceleratorOf(accelerator),
      memory: { file: template.memory, mode: 'copy' },
      incoming: true,
      root: { kind: 'file', path: options.root, format: 'raw' } satisfies Disk,
      scratch: {
        kind: 'file',
        path: options.scratch,
        format: 'qcow2',
        fleeting: options.scratchFleeting === true,
      } satisfies Disk,
      transfer: { kind: 'file', path: transferFile(options.boxDir), format: 'raw', fleeting: true },
      netdev: options.netdev,
      shares: options.shares,
      emptyShare: context.layout.emptyShareDir,
      privileged: context.privileged,
      qmpFd: QMP_FD,
      agentFd: AGENT_FD,
      consoleFile: options.consoleFile,
    }),
  };
}

/**
 * Starts QEMU on a template, or goes on with `early`, which was started so; everything up to the agent's answer is already under
 * way when this returns.
 */
export function startClone(
  spawn: QemuSpawn,
  options: CloneOptions,
  early: EarlyVm | null = null,
): { qemu: QemuProcess; ready: Promise<Vm> } {
  const qemu = early?.qemu ?? spawnQemu(spawn);
  const loaded = early?.loaded ?? loadState(qemu.qmp, STATE_FD, options.deadlineMs);
  return { qemu, ready: connect(qemu, loaded, options) };
}

async function connect(qemu: QemuProcess, loaded: Promise<void>, options: CloneOptions): Promise<Vm> {
  // Whatever fails, the error that matters is why QEMU went, when it went.
  let accepted = false;
  loaded.then(
    () => (accepted = true),
    () => {},
  );
  try {
    const link = await AgentLink.open(qemu.agent, { lost: options.lost }, options.deadlineMs);
    return { qemu, link };
  } catch (error) {
    // A channel that QEMU closed: it ended before we did anything about it.
    const died = qemu.agent.destroyed;
    const exit = await qemu.kill();
    // Its answers may still lie unread in the socket.
    await loaded.catch(() => {});
    throw portTakenError(exit.stderr) ?? explainClone(error, exit, { ...options, accepted, died });
  }
}

/** What QEMU says of a state that it cannot load; it may be gone before an answer tells that it had begun to. */
const STATE_COMPLAINTS =
  /load of migration failed|while loading state|inconsistent with Host index|section footer|savevm section|Not a migration stream/;

interface FailedClone extends Pick<CloneOptions, 'scratch' | 'scratchKept' | 'found'> {
  /** QEMU has taken its arguments and begun to load the state: it answers commands only then. */
  accepted: boolean;
  /** QEMU ended by itself, or somebody else ended it. */
  died: boolean;
}

/**
 * Why a clone did not come up. Its template is to blame when the state could not be loaded or the guest did not answer; not
 * when QEMU was killed or refused its other arguments: another template would not change that.
 */
export function explainClone(
  error: unknown,
  { signal, stderr }: Pick<QemuExit, 'signal' | 'stderr'>,
  { scratch, scratchKept, found, accepted, died }: FailedClone,
): A3sError {
  const words = guestText(stderr.trim().split('\n').at(-1));
  // QEMU quotes the option it refused.
  const refusesDisk = words.includes('node-name=scratch');
  if (refusesDisk && scratchKept) {
    return new A3sError(
      'state_corrupt',
      `the box's disk ${scratch} cannot be used: ${words.replace(/^.*: /, '')}`,
      {
        hint: 'its files are lost: remove the box and create it again',
      },
    );
  }
  const stage = (error instanceof A3sError ? error.stage : undefined) ?? 'agent';
  const reason = error instanceof Error ? error.message : String(error);
  const message = words === '' ? reason : `${reason} (QEMU: ${words})`;
  const details = { stage, cause: error };
  if (stderr.includes(`${found.template.dir}/`) && stderr.includes('No such file or directory')) {
    return new CloneError('gone', 'boot_failed', message, details);
  }
  // Said by a QEMU that was about to end: it may have been killed in the middle of that.
  if (STATE_COMPLAINTS.test(stderr)) return new CloneError('unsound', 'boot_failed', message, details);
  if (died && signal === 'SIGKILL') return new A3sError('boot_failed', message, details);
  const silent = !stderr.split('\n').some((line) => line.trim() !== '' && !line.includes(': warning: '));
  if (silent || refusesDisk || accepted) {
    return new CloneError('unsound', 'boot_failed', message, details);
  }
  return new A3sError('boot_failed', message, details);
}
