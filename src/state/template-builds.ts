/** Where templates are built, and what a build leaves behind whose process was killed. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { namesIn } from './directory.ts';
import type { Layout } from './layout.ts';
import { isAlive, killBoxProcesses, processStart } from './processes.ts';

const BUILD_DIRECTORY = /^\.build-(\d+)-(\d+)$/;

/** The directory this process builds a template in: its name tells whether the builder lives. */
export function buildDirectory(layout: Layout): string {
  return join(layout.templatesDir, `.build-${process.pid}-${processStart(process.pid) ?? 0}`);
}

/**
 * Kills the VMs and removes the files of builds whose process is gone. Costs one look at a directory when there are none.
 * @throws A3sError `timeout` when a VM survives SIGKILL.
 */
export async function sweepDeadBuilds(layout: Layout): Promise<void> {
  for (const name of namesIn(layout.templatesDir)) {
    const [, pid, start] = BUILD_DIRECTORY.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid), Number(start))) continue;
    const dir = join(layout.templatesDir, name);
    // Its guest may still be booting, with nobody left who would ever stop it.
    await killBoxProcesses(dir);
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  }
}
