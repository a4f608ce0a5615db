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
import { AGENT_FD, QMP_FD, STATE_FD, spawnQemu, type QemuProcess } from '../qemu/process.ts';
import { qemuArguments, type Disk, type VmPlan } from '../qemu/args.ts';
import { loadState, saveState } from '../qemu/migration.ts';
import { makeWritable, type RuntimeContext } from './context.ts';
import { sealTemplate, templateFiles, templateName, type Template, type TemplateInputs } from './template.ts';

const PREPARE_MS = 60_000;
const FREEZE_MS = 30_000;

export interface BuildOptions {
  inputs: TemplateInputs;
  /** How long the guest may take until its agent answers. */
  deadlineMs: number;
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
  return build(context, options, true, async (template) => {
    await copySparse(base.memory, template.memory);
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
  recipe: (template: Template) => Recipe | Promise<Recipe>,
): Promise<Template> {
  const workDir = buildDirectory(context.layout);
  rmSync(workDir, { recursive: true, force: true });
  mkdirSync(workDir, { recursive: true, mode: 0o700 });
  const draft = templateFiles(workDir, withScratch);
  try {
    await makeFiles(context, options, draft, await recipe(draft));
    const finalDir = join(context.layout.templatesDir, templateName(options.inputs));
    rmSync(finalDir, { recursive: true, force: true });
    renameSync(workDir, finalDir);
    const template = templateFiles(finalDir, withScratch);
    sealTemplate(template, options.inputs);
    return template;
  } catch (error) {
    rmSync(workDir, { recursive: true, force: true });
    throw error;
  }
}

async function makeFiles(
  context: RuntimeContext,
  options: BuildOptions,
  draft: Template,
  { plan, prepare, stateFile }: Recipe,
): Promise<void> {
  const qemu = spawnQemu({
    binary: context.host.qemu.path,
    args: qemuArguments({
      ...plan,
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
    await Promise.race([runTemplate(qemu, options, draft, prepare, stateFile !== null), diedEarly(qemu)]);
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
  draft: Template,
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
function copySparse(from: string, to: string): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('cp', ['--sparse=always', '--reflink=auto', from, to], (error) => {
      if (error === null) resolve();
      else reject(new A3sError('io', `cannot copy ${from}: ${error.message}`, { cause: error }));
    });
  });
}

/** Rejects when QEMU ends by itself. */
async function diedEarly(qemu: QemuProcess): Promise<never> {
  const exit = await qemu.exited;
  const how = exit.signal === null ? `status ${exit.code}` : exit.signal;
  const words = exit.stderr.trim().split('\n').at(-1) ?? '';
  throw new A3sError('boot_failed', `QEMU ended with ${how}${words === '' ? '' : `: ${words}`}`, {
    stage: 'qemu',
  });
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
