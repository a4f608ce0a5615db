/** One running VM: cloned from a template, connected, waiting for its request. */
import { A3sError } from '../errors.ts';
import { AgentLink } from './agent-link.ts';
import { portTakenError } from './network.ts';
import { guestText } from './protocol/guest-text.ts';
import { AGENT_FD, QMP_FD, STATE_FD, spawnQemu, type QemuProcess } from './qemu/process.ts';
import { qemuArguments, type Disk, type MachineShape, type Share } from './qemu/args.ts';
import { loadState } from './qemu/migration.ts';
import { acceleratorOf, type RuntimeContext } from './templates/context.ts';
import type { FoundTemplate } from './templates/ensure.ts';

export interface CloneOptions {
  /** Names the process; holds the box's directory, by which leftovers are found. */
  boxDir: string;
  found: FoundTemplate;
  shape: MachineShape;
  root: string;
  scratch: string;
  netdev: string;
  shares: Share[];
  consoleFile: string;
  /** How long the clone may take until its agent answers. */
  deadlineMs: number;
  /** The session is lost: QEMU ended, or the guest broke the protocol. Called at most once, after a successful start. */
  lost: (error: Error) => void;
}

export interface Vm {
  qemu: QemuProcess;
  link: AgentLink;
}

/** Starts QEMU on a template; everything up to the agent's answer is already under way when this returns. */
export function startClone(
  context: RuntimeContext,
  options: CloneOptions,
): { qemu: QemuProcess; ready: Promise<Vm> } {
  const { template, accelerator } = options.found;
  const qemu = spawnQemu({
    binary: context.host.qemu.path,
    stateFile: template.state,
    args: qemuArguments({
      name: `a3s-box ${options.boxDir}`,
      shape: options.shape,
      accelerator: acceleratorOf(accelerator),
      memory: { file: template.memory, mode: 'copy' },
      incoming: true,
      root: { kind: 'file', path: options.root, format: 'raw' } satisfies Disk,
      scratch: { kind: 'file', path: options.scratch, format: 'qcow2' } satisfies Disk,
      netdev: options.netdev,
      shares: options.shares,
      emptyShare: context.layout.emptyShareDir,
      privileged: context.privileged,
      qmpFd: QMP_FD,
      agentFd: AGENT_FD,
      consoleFile: options.consoleFile,
    }),
  });
  return { qemu, ready: connect(qemu, options) };
}

async function connect(qemu: QemuProcess, options: CloneOptions): Promise<Vm> {
  const loaded = loadState(qemu.qmp, STATE_FD, options.deadlineMs);
  // Whatever fails, the error that matters is why QEMU went, when it went.
  loaded.catch(() => {});
  try {
    const link = await AgentLink.open(qemu.agent, { lost: options.lost }, options.deadlineMs);
    return { qemu, link };
  } catch (error) {
    const exit = await qemu.kill();
    throw portTakenError(exit.stderr) ?? explain(error, exit.stderr, options.scratch);
  }
}

function explain(error: unknown, stderr: string, scratch: string): A3sError {
  const words = guestText(stderr.trim().split('\n').at(-1));
  // QEMU quotes the option it refused. The template is not to blame, and must not be thrown away for it.
  if (words.includes('node-name=scratch')) {
    return new A3sError('state_corrupt', `the box's disk ${scratch} cannot be used: ${words.replace(/^.*: /, '')}`, {
      hint: 'its files are lost: remove the box and create it again',
    });
  }
  const stage = error instanceof A3sError ? error.stage : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return new A3sError('boot_failed', words === '' ? message : `${message} (QEMU: ${words})`, {
    stage: stage ?? 'agent',
    cause: error,
  });
}
