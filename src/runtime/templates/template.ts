/** A template on disk: a frozen VM's memory, device state and disk, with a record of what they were when finished. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

export function templateKey(inputs: TemplateInputs): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([FORMAT, inputs]))
    .digest('hex');
  return `${inputs.rootfs === null ? 'base' : 'image'}-${hash.slice(0, 24)}`;
}

export function templateFiles(dir: string, withScratch: boolean): Template {
  return {
    dir,
    memory: join(dir, 'memory'),
    state: join(dir, 'state'),
    scratch: withScratch ? join(dir, 'scratch.qcow2') : null,
  };
}

/** The finished, unaltered template of this key, or null. Costs a few stats, no hashing. */
export function findTemplate(layout: Layout, key: string): Template | null {
  const dir = join(layout.templatesDir, key);
  const template = templateFiles(dir, key.startsWith('image-'));
  let sealed: unknown;
  try {
    sealed = JSON.parse(readFileSync(sealFile(dir), 'utf8'));
  } catch {
    // absent, unfinished or damaged: it will be built again
    return null;
  }
  return JSON.stringify(sealed) === JSON.stringify(fingerprints(template)) ? template : null;
}

/** Records the files' fingerprints: the template is finished. Its files are never written again. */
export function sealTemplate(template: Template): void {
  writeFileSync(sealFile(template.dir), JSON.stringify(fingerprints(template)), { mode: 0o400 });
}

export function makeTemplateDir(layout: Layout, name: string): string {
  const dir = join(layout.templatesDir, name);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

function sealFile(dir: string): string {
  return join(dir, 'template.json');
}

function fingerprints(template: Template): Record<string, string | null> {
  return {
    memory: fileFingerprint(template.memory),
    state: fileFingerprint(template.state),
    scratch: template.scratch === null ? null : fileFingerprint(template.scratch),
  };
}
