/** A template on disk: a frozen VM's memory, device state and disk, with a record of what they were when finished. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Layout } from '../../state/layout.ts';
import { fileFingerprint } from '../host-cache.ts';
import type { Accelerator, MachineShape } from '../qemu/args.ts';

/** Raised whenever a template made by older code must not be used. */
const FORMAT = 1;

export interface Template {
  dir: string;
  memory: string;
  state: string;
  /** The prepared scratch disk; null for a base template. */
  scratch: string | null;
}

/** Everything that goes into a template; equal inputs share one. */
export interface TemplateInputs {
  bundle: string;
  qemu: string;
  accelerator: Accelerator;
  tscKhz: number;
  commandLine: string;
  shape: MachineShape;
  /** Digest of the root filesystem for an image template, null for a base template. */
  rootfs: string | null;
}

/**
 * The name of a template's directory. It says what the template is for; the seal says exactly what it was made from, so that
 * after an upgrade the new template takes the place of the old one.
 */
export function templateName({ rootfs, shape, accelerator }: TemplateInputs): string {
  const kind = rootfs === null ? 'base' : `image-${rootfs.replace(/^sha256:/, '').slice(0, 16)}`;
  return `${kind}-${shape.vcpus}c-${shape.memoryMib}m-${shape.shareSlots}s-${accelerator.name}`;
}

export function templateFiles(dir: string, withScratch: boolean): Template {
  return {
    dir,
    memory: join(dir, 'memory'),
    state: join(dir, 'state'),
    scratch: withScratch ? join(dir, 'scratch.qcow2') : null,
  };
}

/** The finished, unaltered template made from these inputs, or null. Costs a few stats, no hashing. */
export function findTemplate(layout: Layout, inputs: TemplateInputs): Template | null {
  const template = templateFiles(join(layout.templatesDir, templateName(inputs)), inputs.rootfs !== null);
  try {
    return readFileSync(sealFile(template.dir), 'utf8') === sealText(template, inputs) ? template : null;
  } catch {
    // absent, unfinished or damaged: it will be built again
    return null;
  }
}

/** Records what the template was made from and its files' fingerprints: it is finished. Its files are never written again. */
export function sealTemplate(template: Template, inputs: TemplateInputs): void {
  writeFileSync(sealFile(template.dir), sealText(template, inputs), { mode: 0o400 });
}

function sealFile(dir: string): string {
  return join(dir, 'template.json');
}

function sealText(template: Template, inputs: TemplateInputs): string {
  const files = {
    memory: fileFingerprint(template.memory),
    state: fileFingerprint(template.state),
    scratch: template.scratch === null ? null : fileFingerprint(template.scratch),
  };
  return `${JSON.stringify({ format: FORMAT, inputs, files }, null, 2)}\n`;
}
