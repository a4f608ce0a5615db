/** `run`: a new box, started at once. */
import type { ProcessSession } from '../runtime/api.ts';
import type { BoxRecord } from '../state/record.ts';
import { makeBox } from './create.ts';
import { launch } from './launch.ts';
import type { AttachOptions, CreateOptions, Engine } from './types.ts';

/**
 * Makes a box and starts it, with one write of the state before the launch.
 * @returns the record as it stood before the start, and the workload's session: `started` tells whether it runs.
 * @throws what createBox throws.
 */
export async function runBox(
  engine: Engine,
  options: CreateOptions,
  attach: AttachOptions,
): Promise<{ record: BoxRecord; session: ProcessSession }> {
  const { record, rootfs } = await makeBox(engine, options, 'starting');
  return { record, session: await launch(engine, record, rootfs, attach) };
}
