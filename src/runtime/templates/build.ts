/** Making templates: boot (or clone) a VM that writes its memory to a file, freeze it, save its device state, seal. */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  constants,
  mkdirSync,
  openSync,
  fsyncSync,
  closeSync,
  renameSync,
  rmSync,
  chmodSync,
} from 'node:fs';
import { join } from 'node:path';

import { A3sError } from '../../errors.ts';
import { buildDirectory } from '../../state/template-builds.ts';
import { AgentLink } from '../agent-link.ts';
import { verifyBundle } from '../bundle-check.ts';
import { UNCONNECTED_NETDEV } from '../network.ts';
import { AGENT_FD, QMP_FD, STATE_FD, spawnQemu, type QemuExit, type QemuProcess } from '../qemu/process.ts';
import { qemuArguments, type Disk, type VmPlan } from '../qemu/args.ts';
import { loadState, saveState } from '../qemu/migration.ts';
import { makeWritable, type RuntimeContext } from './context.ts';
import {
  sealTemplate,
  templateFiles,
  templateName,
  type Template,
  type TemplateFiles,
  type TemplateInputs,
} from './template.ts';

const NO_ROOM = /Cannot allocate memory|No space left on device|Disk quota exceeded/;
const PREPARE_MS = 60_000;
const FREEZE_MS = 30_000;
/** The base's memory is copied sparsely: under a second unless the disk hangs. */
const COPY_MS = 60_000;

export interface BuildOptions {
  inputs: TemplateInputs;
  /** How long the guest may take until its agent answers. */
  deadlineMs: number;
  /** Gives the build up: its VM is killed and reaped, its files are removed, and it rejects with the signal's reason. */
  signal: AbortSignal;
}

/** Boots a kernel and saves it with nothing mounted. The caller holds the template's lock. */
export function buildBaseTemplate(context: RuntimeContext, options: BuildOptions): Promise<Template> {
  return build(context, options, false, (template) => ({
    plan: {
      kernel: {
        vmlinux: context.bundle.vmlinux,
        initramfs: context.bundle.initramfs,
        commandLine: options.inputs.commandLine,
      },
      incoming: false,
      root: { kind: 'placeholder' },
      scratch: { kind: 'placeholder' },
      memory: { file: template.memory, mode: 'own' },
    },
    prepare: null,
    stateFile: null,
  }));
}

/**
 * Clones `base`, mounts the image's root in it, reads the files of the commands `warm` into its memory, and saves that.
 * The caller holds the template's lock.
 */
export async function buildImageTemplate(
  context: RuntimeContext,
  base: Template,
  rootfs: string,
  warm: string[],
  options: BuildOptions,
): Promise<Template> {
  return build(context, options, true, async (template, signal) => {
    await copySparse(base.memory, template.memory, signal);
    makeWritable(template.memory);
    const scratch = template.scratch ?? '';
    verifyBundle(context.bundle, ['scratch.qcow2']);
    copyFileSync(context.bundle.scratch, scratch, constants.COPYFILE_FICLONE);
    makeWritable(scratch);
    return {
      plan: {
        incoming: true,
        root: { kind: 'file', path: rootfs, format: 'raw' } satisfies Disk,
        scratch: { kind: 'file', path: scratch, format: 'qcow2' } satisfies Disk,
        memory: { file: template.memory, mode: 'own' },
      },
      prepare: { op: 'prepare', root: { lower: 'root', upper: 'scratch', read_only: false }, warm },
      stateFile: base.state,
    };
  });
}

interface Recipe {
  plan: Pick<VmPlan, 'kernel' | 'incoming' | 'root' | 'scratch' | 'memory'>;
  prepare: object | null;
  stateFile: string | null;
}

async function build(
  context: RuntimeContext,
  options: BuildOptions,
  withScratch: boolean,
  recipe: (template: TemplateFiles, signal: AbortSignal) => Recipe | Promise<Recipe>,
): Promise<Template> {
  const limit = new AbortController();
  const limitMs = COPY_MS + options.deadlineMs + PREPARE_MS + 2 * FREEZE_MS;
  const timer = setTimeout(() => {
    limit.abort(new A3sError('timeout', `the template was not built within ${limitMs} ms`));
  }, limitMs);
  const signal = AbortSignal.any([options.signal, limit.signal]);
  const workDir = buildDirectory(context.layout);
  const draft = templateFiles(workDir, withScratch);
  try {
    signal.throwIfAborted();
    rmSync(workDir, { recursive: true, force: true });
    mkdirSync(workDir, { recursive: true, mode: 0o700 });
    await makeFiles(context, { ...options, signal }, draft, await recipe(draft, signal));
    // Sealed before it has its name: whoever finds it finds it whole.
    const seal = sealTemplate(draft, options.inputs);
    const finalDir = join(context.layout.templatesDir, templateName(options.inputs));
    rmSync(finalDir, { recursive: true, force: true });
    renameSync(workDir, finalDir);
    return { ...templateFiles(finalDir, withScratch), seal };
  } catch (error) {
    rmSync(workDir, { recursive: true, force: true, maxRetries: 3 });
    // What failed because of the abort says less than its reason.
    signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function makeFiles(
  context: RuntimeContext,
  options: BuildOptions,
  draft: TemplateFiles,
  { plan, prepare, stateFile }: Recipe,
): Promise<void> {
  options.signal.throwIfAborted();
  const qemu = spawnQemu({
    binary: context.host.qemu.path,
    args: qemuArguments({
      ...plan,
      transfer: { kind: 'placeholder' },
      name: `a3s-template ${templateName(options.inputs)}`,
      shape: options.inputs.shape,
      accelerator: options.inputs.accelerator,
      netdev: UNCONNECTED_NETDEV,
      shares: [],
      emptyShare: context.layout.emptyShareDir,
      privileged: context.privileged,
      qmpFd: QMP_FD,
      agentFd: AGENT_FD,
      consoleFile: join(draft.dir, 'console.log'),
    }),
    ...(stateFile === null ? {} : { stateFile }),
  });
  try {
    await Promise.race([
      runTemplate(qemu, options, draft, prepare, stateFile !== null),
      diedEarly(qemu),
      rejectOnAbort(options.signal),
    ]);
  } finally {
    await qemu.kill();
  }
  for (const file of [draft.memory, draft.state, draft.scratch]) {
    // QEMU 7.2 opens a clone's memory for writing though it maps it privately.
    if (file !== null) harden(file, file === draft.memory ? 0o600 : 0o400);
  }
}

async function runTemplate(
  qemu: QemuProcess,
  options: BuildOptions,
  draft: TemplateFiles,
  prepare: object | null,
  incoming: boolean,
): Promise<void> {
  if (incoming) await loadState(qemu.qmp, STATE_FD, options.deadlineMs);
  const link = await AgentLink.open(qemu.agent, { lost: () => {} }, options.deadlineMs);
  if (prepare !== null) {
    const result = await link.request(prepare, PREPARE_MS);
    if (result.exitCode !== 0) {
      throw new A3sError(
        'boot_failed',
        `the guest cannot mount the image: ${result.error?.message ?? 'unknown error'}`,
        {
          stage: result.error?.stage ?? 'prepare',
        },
      );
    }
  }
  await link.freeze(FREEZE_MS);
  await saveState(qemu.qmp, join(draft.dir, 'm'), draft.state, FREEZE_MS);
}

/** Copies a file and leaves its holes: most of a template's memory was never touched. */
function copySparse(from: string, to: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | null = null;
    const args = ['--sparse=always', '--reflink=auto', from, to];
    const child = execFile('cp', args, { signal, killSignal: 'SIGKILL' }, (error) => {
      failure = error;
    });
    // Not before it has gone: an aborted copy must not write into a directory that is being removed.
    child.once('close', () => {
      if (failure === null) resolve();
      else reject(new A3sError('io', `cannot copy ${from}: ${failure.message}`, { cause: failure }));
    });
  });
}

/** Rejects with the signal's reason. The listener goes with the signal, which lives as long as the build. */
function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const aborted = (): void => {
      // The reason is whatever the caller gave; `build` rethrows it as it is.
      reject(new A3sError('io', 'the build was given up', { cause: signal.reason }));
    };
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  });
}

/** Rejects when QEMU ends by itself. */
async function diedEarly(qemu: QemuProcess): Promise<never> {
  throw earlyEnd(await qemu.exited);
}

/** Why a QEMU ended that nobody told to: `boot_failed` when it may be the accelerator's or the guest's fault. */
export function earlyEnd(exit: QemuExit): A3sError {
  const how = exit.signal === null ? `status ${exit.code}` : exit.signal;
  const words = exit.stderr.trim().split('\n').at(-1) ?? '';
  const message = `QEMU ended with ${how}${words === '' ? '' : `: ${words}`}`;
  // The kernel's ways to say that there is no memory (KILL), or no room for the file behind it (BUS).
  const starved = exit.signal === 'SIGKILL' || exit.signal === 'SIGBUS' || NO_ROOM.test(exit.stderr);
  if (starved) {
    return new A3sError('io', message, { hint: 'free some memory or disk space, and try again' });
  }
  return new A3sError('boot_failed', message, { stage: 'qemu' });
}

/** On the disk before the seal says so, with its final rights. */
function harden(path: string, mode: number): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  chmodSync(path, mode);
}
