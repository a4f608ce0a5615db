/** A guest bundle of a few bytes, for tests that boot nothing. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILES: Record<string, string> = {
  vmlinux: 'kernel',
  initramfs: 'agent',
  'scratch.qcow2': 'disk',
  'tsc-khz': '#!/bin/sh\necho run >> "$0.runs"\necho 2596149\n',
};

/** Writes the bundle into `dir`, with `changes` instead of the manifest's own fields. */
export function writeBundle(dir: string, changes: Record<string, unknown> = {}): string {
  mkdirSync(dir, { recursive: true });
  const files: Record<string, { sha256: string; size: number }> = {};
  for (const [name, content] of Object.entries(FILES)) {
    writeFileSync(join(dir, name), content, { mode: 0o755 });
    files[name] = { sha256: createHash('sha256').update(content).digest('hex'), size: content.length };
  }
  const manifest = { kernelVersion: '6.1.0-test', agentVersion: '0.1.0', files, ...changes };
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
  return dir;
}
