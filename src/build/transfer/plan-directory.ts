/** WORKDIR. */
import { createHash } from 'node:crypto';

import { isDirectory, nodeAt } from '../../images/layers/tree.ts';
import type { RootTree } from '../tree/root-tree.ts';
import { Destination, namesOf } from './destination.ts';
import { layerPlan, type LayerPlan } from './layer-plan.ts';
import { ownerOf } from './owner.ts';

const DIRECTORY_MODE = 0o755;

/**
 * The directory and those above it, where they are missing.
 * @param path absolute, in the stage; links are followed inside of it
 * @param owner USER's value: whose the new directories are
 * @param options.time what they are dated, in seconds since 1970; now if it is not given
 * @returns null when it is there.
 * @throws DockerfileError when something on the way is no directory.
 */
export async function planDirectory(
  root: RootTree,
  path: string,
  owner: string,
  options: { time?: number } = {},
): Promise<LayerPlan | null> {
  const lower = await root.open();
  const destination = new Destination(lower, options.time ?? Math.floor(Date.now() / 1000));
  const names = destination.resolve(namesOf(path));
  const there = nodeAt(lower, names);
  if (there !== undefined && isDirectory(there)) return null;
  const ownership = (await ownerOf(owner, root)) ?? { uid: 0, gid: 0 };
  destination.makeAll(names, DIRECTORY_MODE, ownership);
  const digest = createHash('sha256')
    .update(JSON.stringify(['workdir', names, ownership]))
    .digest('hex');
  return layerPlan(digest, async () => destination);
}
