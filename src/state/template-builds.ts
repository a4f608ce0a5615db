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
  const dead = [layout.templatesDir, layout.buildsDir].flatMap((parent) =>
    namesIn(parent)
      .filter(isDeadBuild)
      .map((name) => join(parent, name)),
  );
  // Their guests may still be booting, with nobody left who would ever stop them.
  await killBoxProcesses(...dead);
  for (const dir of dead) removeTree(dir);
}

function isDeadBuild(name: string): boolean {
  const [, pid, start] = BUILD_DIRECTORY.exec(name) ?? [];
  return pid !== undefined && !isAlive(Number(pid), Number(start));
}
