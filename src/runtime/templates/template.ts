/** A template on disk: a frozen VM's memory, device state and disk, with a record of what they were when finished. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { A3sError } from '../../errors.ts';
import type { Layout } from '../../state/layout.ts';
import { fileFingerprint } from '../host-cache.ts';
import type { Accelerator, MachineShape } from '../qemu/args.ts';

/** Raised whenever a template made by older code must not be used. */
const FORMAT = 3;

export interface TemplateFiles {
  dir: string;
  memory: string;
  state: string;
  /** The prepared scratch disk; null for a base template. */
  scratch: string | null;
}

export interface Template extends TemplateFiles {
  /** The seal's text: tells this template from one that has taken its place. */
  seal: string;
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
  const kind = rootfs === null ? 'base-' : imageTemplatePrefix(rootfs);
  return `${kind}${shape.vcpus}c-${shape.memoryMib}m-${shape.shareSlots}s-${accelerator.name}`;
}

/** How the names of all templates of a root filesystem begin. */
export function imageTemplatePrefix(rootfs: string): string {
  return `image-${rootfs.replace(/^sha256:/, '').slice(0, 16)}-`;
}

export function templateFiles(dir: string, withScratch: boolean): TemplateFiles {
  return {
    dir,
    memory: join(dir, 'memory'),
    state: join(dir, 'state'),
    scratch: withScratch ? join(dir, 'scratch.qcow2') : null,
  };
}

/** The finished, unaltered template made from these inputs, or null. Costs a few stats, no hashing. */
export function findTemplate(layout: Layout, inputs: TemplateInputs): Template | null {
  const files = templateFiles(join(layout.templatesDir, templateName(inputs)), inputs.rootfs !== null);
  try {
    const seal = readFileSync(sealFile(files.dir), 'utf8');
    return seal === sealText(files, inputs) ? { ...files, seal } : null;
  } catch {
    // absent, unfinished or damaged: it will be built again
    return null;
  }
}

/**
 * Records what the template was made from and its files' fingerprints: it is finished. Its files are never written again.
 * @returns the seal's text.
 * @throws A3sError `io` when one of its files is not there.
 */
export function sealTemplate(files: TemplateFiles, inputs: TemplateInputs): string {
  const seal = sealText(files, inputs);
  writeFileSync(sealFile(files.dir), seal, { mode: 0o400 });
  return seal;
}

/** True when the template on disk is still this one, and not one that was built after it. */
export function isStillThere({ dir, seal }: Template): boolean {
  try {
    return readFileSync(sealFile(dir), 'utf8') === seal;
  } catch {
    return false;
  }
}

function sealFile(dir: string): string {
  return join(dir, 'template.json');
}

function sealText(template: TemplateFiles, inputs: TemplateInputs): string {
  const files = {
    memory: fingerprintOf(template.memory),
    state: fingerprintOf(template.state),
    scratch: template.scratch === null ? null : fingerprintOf(template.scratch),
  };
  return `${JSON.stringify({ format: FORMAT, inputs, files }, null, 2)}\n`;
}

function fingerprintOf(path: string): string {
  const fingerprint = fileFingerprint(path);
  if (fingerprint === null) throw new A3sError('io', `${path} is missing`);
  return fingerprint;
}
