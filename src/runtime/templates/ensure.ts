/** Templates on demand: found, or built once under a lock while others wait. */
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';

import { A3sError } from '../../errors.ts';
import type { Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import { verifyBundle } from '../bundle-check.ts';
import { bootTryMs } from '../deadlines.ts';
import type { MachineShape } from '../qemu/args.ts';
import { knownAccelerator, kvmObstacle, recordVerdict } from './accelerator.ts';
import { buildBaseTemplate, buildImageTemplate } from './build.ts';
import { acceleratorOf, templateInputs, type RuntimeContext } from './context.ts';
import { findTemplate, isStillThere, templateName, type Template, type TemplateInputs } from './template.ts';

/** A working KVM boots in well under a second. */
const KVM_TRIAL_MS = 8_000;
export const LOCK_MS = 180_000;
const NEVER = new AbortController().signal;

export interface FoundTemplate {
  template: Template;
  accelerator: 'kvm' | 'tcg';
}

/**
 * The base template of a shape. Decides the accelerator where that is still open.
 * @param signal gives the build up, as `BuildOptions` says.
 */
export async function ensureBaseTemplate(
  context: RuntimeContext,
  shape: MachineShape,
  signal: AbortSignal,
): Promise<FoundTemplate> {
  const build: BaseBuilder = (name, deadlineMs) => baseWith(context, shape, name, deadlineMs, signal);
  const known = knownAccelerator(context);
  return known === null ? decide(context, build, signal) : build(known.name, bootTryMs());
}

type BaseBuilder = (name: 'kvm' | 'tcg', deadlineMs: number) => Promise<FoundTemplate>;

/** Finds the accelerator by building with it, and remembers it once its template stands. */
export async function decide(
  context: RuntimeContext,
  build: BaseBuilder,
  signal: AbortSignal,
): Promise<FoundTemplate> {
  let obstacle = kvmObstacle();
  if (obstacle === null) {
    try {
      const found = await build('kvm', KVM_TRIAL_MS);
      recordVerdict(context, 'kvm', 'a VM booted with it');
      return found;
    } catch (error) {
      signal.throwIfAborted();
      // A missing program or a damaged bundle would stop the other build as well.
      if (!(error instanceof A3sError) || error.code === 'host_setup') throw error;
      // Nor does a full disk or a lock that stayed taken say anything about KVM: it is tried again next time.
      if (error.code === 'boot_failed') obstacle = `KVM does not work here: ${error.message}`;
    }
  }
  const found = await build('tcg', bootTryMs());
  if (obstacle !== null) recordVerdict(context, 'tcg', obstacle);
  return found;
}

/** The image template if it is there; never builds. */
export function findImageTemplate(
  context: RuntimeContext,
  shape: MachineShape,
  rootfs: string,
): FoundTemplate | null {
  return find(context, shape, rootfs);
}

/** The base template if it is there; never builds. */
export function findBaseTemplate(context: RuntimeContext, shape: MachineShape): FoundTemplate | null {
  return find(context, shape, null);
}

function find(context: RuntimeContext, shape: MachineShape, rootfs: string | null): FoundTemplate | null {
  const known = knownAccelerator(context);
  if (known === null) return null;
  const inputs = templateInputs(context, acceleratorOf(known.name), shape, rootfs);
  const template = findTemplate(context.layout, inputs);
  return template === null ? null : { template, accelerator: known.name };
}

/** Builds the image template unless another process has. `warm`: commands that its boxes are likely to run. */
export async function ensureImageTemplate(
  context: RuntimeContext,
  shape: MachineShape,
  rootfs: { path: string; digest: string },
  warm: string[],
  signal: AbortSignal = NEVER,
): Promise<void> {
  const base = await ensureBaseTemplate(context, shape, signal);
  const inputs = templateInputs(context, acceleratorOf(base.accelerator), shape, rootfs.digest);
  const options = { inputs, deadlineMs: bootTryMs(), signal };
  await underLock(context, inputs, signal, () =>
    buildImageTemplate(context, base.template, rootfs.path, warm, options),
  );
}

/**
 * Throws a template away that did not come up, unless another has taken its place since: of many boxes that it failed, one
 * removes it and one builds it again. VMs that run from it keep their memory.
 */
export async function discardTemplate(layout: Layout, template: Template): Promise<void> {
  await withLock(
    templateLock(layout, basename(template.dir)),
    () => {
      if (isStillThere(template)) rmSync(template.dir, { recursive: true, force: true });
    },
    { timeoutMs: LOCK_MS },
  );
}

async function baseWith(
  context: RuntimeContext,
  shape: MachineShape,
  name: 'kvm' | 'tcg',
  deadlineMs: number,
  signal: AbortSignal,
): Promise<FoundTemplate> {
  const inputs = templateInputs(context, acceleratorOf(name), shape, null);
  const options = { inputs, deadlineMs, signal };
  const template = await underLock(context, inputs, signal, async () => {
    verifyBundle(context.bundle);
    try {
      return await buildBaseTemplate(context, options);
    } catch (error) {
      signal.throwIfAborted();
      // One boot in many hangs under emulation however it is set up; a second trial has never failed for the same cause.
      if (name === 'kvm' || !(error instanceof A3sError) || error.stage !== 'agent') throw error;
      return buildBaseTemplate(context, options);
    }
  });
  return { template, accelerator: name };
}

async function underLock(
  context: RuntimeContext,
  inputs: TemplateInputs,
  signal: AbortSignal,
  build: () => Promise<Template>,
): Promise<Template> {
  const found = findTemplate(context.layout, inputs);
  if (found !== null) return found;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(reasonOf(signal));
    signal.addEventListener('abort', giveUp, { once: true });
    const work = (): Template | Promise<Template> => {
      signal.throwIfAborted();
      // From here on the build itself hears the signal, and is waited for: it owns a VM.
      signal.removeEventListener('abort', giveUp);
      return findTemplate(context.layout, inputs) ?? build();
    };
    const lockFile = templateLock(context.layout, templateName(inputs));
    withLock(lockFile, work, { timeoutMs: LOCK_MS }).then(resolve, reject);
  });
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

export function templateLock(layout: Layout, name: string): string {
  return join(layout.locksDir, `${name}.lock`);
}
