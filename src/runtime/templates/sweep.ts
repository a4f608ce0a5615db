/** What a killed template build leaves behind. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Layout } from '../../state/layout.ts';
import { isAlive, killBoxProcesses, processStart } from '../../state/processes.ts';

const BUILD_DIR = /^\.build-(\d+)-(\d+)$/;

/** The directory this process builds a template in: its name tells whether the builder lives. */
export function buildDirectory(layout: Layout): string {
  return join(layout.templatesDir, `.build-${process.pid}-${processStart(process.pid) ?? 0}`);
}

/** Ends the VMs and removes the files of builds whose process is gone. */
export async function sweepDeadBuilds(layout: Layout): Promise<void> {
  mkdirSync(layout.templatesDir, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(layout.templatesDir)) {
    const [, pid, start] = BUILD_DIR.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid), Number(start))) continue;
    const dir = join(layout.templatesDir, name);
    await killBoxProcesses(dir);
    rmSync(dir, { recursive: true, force: true });
  }
}
