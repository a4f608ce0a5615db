/** Templates on demand: found, or built once under a lock while others wait. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { A3sError } from '../../errors.ts';
import { withLock } from '../../state/lock.ts';
import { verifyBundle } from '../bundle-check.ts';
import { bootTryMs } from '../deadlines.ts';
import type { MachineShape } from '../qemu/args.ts';
import { knownAccelerator, kvmObstacle, recordVerdict } from './accelerator.ts';
import { buildBaseTemplate, buildImageTemplate } from './build.ts';
import { acceleratorOf, templateInputs, type RuntimeContext } from './context.ts';
import { findTemplate, templateName, type Template, type TemplateInputs } from './template.ts';

/** A working KVM boots in well under a second. */
const KVM_TRIAL_MS = 8_000;
const LOCK_MS = 180_000;

export interface FoundTemplate {
  template: Template;
  accelerator: 'kvm' | 'tcg';
}

/** The base template of a shape. Decides the accelerator where that is still open. */
export async function ensureBaseTemplate(
  context: RuntimeContext,
  shape: MachineShape,
): Promise<FoundTemplate> {
  const known = knownAccelerator(context);
  if (known !== null) return baseWith(context, shape, known.name, bootTryMs());
  const obstacle = kvmObstacle();
  if (obstacle === null) {
    try {
      const found = await baseWith(context, shape, 'kvm', KVM_TRIAL_MS);
      recordVerdict(context, 'kvm', 'a VM booted with it');
      return found;
    } catch (error) {
      // A missing program or a damaged bundle says nothing about KVM.
      if (error instanceof A3sError && error.code === 'host_setup') throw error;
      const why = error instanceof Error ? error.message : String(error);
      recordVerdict(context, 'tcg', `KVM does not work here: ${why}`);
    }
  } else {
    recordVerdict(context, 'tcg', obstacle);
  }
  return baseWith(context, shape, 'tcg', bootTryMs());
}

/** The image template if it is there; never builds. */
export function findImageTemplate(
  context: RuntimeContext,
  shape: MachineShape,
  rootfs: string,
): FoundTemplate | null {
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
): Promise<void> {
  const base = await ensureBaseTemplate(context, shape);
  const inputs = templateInputs(context, acceleratorOf(base.accelerator), shape, rootfs.digest);
  await underLock(context, inputs, () =>
    buildImageTemplate(context, base.template, rootfs.path, warm, { inputs, deadlineMs: bootTryMs() }),
  );
}

/** Throws a template away that did not come up: the next use builds it again. VMs that run from it keep their memory. */
export function discardTemplate({ dir }: Template): void {
  rmSync(dir, { recursive: true, force: true });
}

async function baseWith(
  context: RuntimeContext,
  shape: MachineShape,
  name: 'kvm' | 'tcg',
  deadlineMs: number,
): Promise<FoundTemplate> {
  const inputs = templateInputs(context, acceleratorOf(name), shape, null);
  const options = { inputs, deadlineMs };
  const template = await underLock(context, inputs, async () => {
    verifyBundle(context.bundle);
    try {
      return await buildBaseTemplate(context, options);
    } catch (error) {
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
  build: () => Promise<Template>,
): Promise<Template> {
  const found = findTemplate(context.layout, inputs);
  if (found !== null) return found;
  return withLock(
    join(context.layout.locksDir, `${templateName(inputs)}.lock`),
    async () => findTemplate(context.layout, inputs) ?? (await build()),
    { timeoutMs: LOCK_MS },
  );
}
