/** Where templates and images are built, and what a build leaves behind whose process was killed. */
import { join } from 'node:path';

import { namesIn, removeTree } from './directory.ts';
import type { Layout } from './layout.ts';
import { isAlive, killBoxProcesses, processMark } from './processes.ts';

/** A template's, and any other's with a number behind. */
const BUILD_DIRECTORY = /^(?:\.build|[a-z]+)-(\d+)-(\d+)(?:-\d+)?$/;

let made = 0;

/** A new directory's path for a template that this process makes: its name tells whether the builder lives. One process may make several at once. */
export function buildDirectory(layout: Layout): string {
  made += 1;
  return join(layout.templatesDir, `.build-${processMark()}-${made}`);
}

/**
 * A new directory's path for something that ends with this process at the latest.
 * @param what one word of small letters
 */
export function workDirectory(layout: Layout, what: string): string {
  made += 1;
  return join(layout.buildsDir, `${what}-${processMark()}-${made}`);
}

/**
 * Kills the VMs and removes the files of builds whose process is gone. Costs one look at two directories when there are none.
 * @throws A3sError `timeout` when a VM survives SIGKILL.
 */
export async function sweepDeadBuilds(layout: Layout): Promise<void> {
  for (const parent of [layout.templatesDir, layout.buildsDir]) {
    for (const name of namesIn(parent)) {
      const [, pid, start] = BUILD_DIRECTORY.exec(name) ?? [];
      if (pid === undefined || isAlive(Number(pid), Number(start))) continue;
      const dir = join(parent, name);
      // Its guest may still be booting, with nobody left who would ever stop it.
      await killBoxProcesses(dir);
      removeTree(dir);
    }
  }
}
