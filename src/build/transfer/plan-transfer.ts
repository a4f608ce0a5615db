import type { Add, Copy } from '../dockerfile/instructions/types.ts';
import type { RootTree } from '../tree/root-tree.ts';
import type { LayerPlan } from './layer-plan.ts';
import type { TransferOptions } from './options.ts';

/**
 * What COPY or ADD adds.
 * @param instruction evaluated
 * @throws DockerfileError with the instruction's lines, in BuildKit's words: `failed to compute cache key: failed to calculate checksum of ref
 * <source>: "/x": not found`.
 */
export declare function planTransfer(instruction: Copy | Add, options: TransferOptions): Promise<LayerPlan>;

/** WORKDIR: the directory and those above it, where they are missing. Null when it is there. @param owner USER's value */
export declare function planDirectory(
  root: RootTree,
  path: string,
  owner: string,
  options?: { time?: number },
): Promise<LayerPlan | null>;
