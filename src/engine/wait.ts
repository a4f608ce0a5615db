/** `wait`: how a box ended, once it has. */
import { A3sError } from '../errors.ts';
import { waitForBox } from '../runtime/control-client.ts';
import { findBox, isUp } from './engine.ts';
import { findSettledBox, isHungUp, waitForEnd } from './settle.ts';
import type { Engine } from './types.ts';

/** What a workload counts as having ended with when nobody saw its end. */
const LOST_EXIT_CODE = 137;

/**
 * The exit status of the box's next end, or of its last one when it does not run; 0 for a box that never ran.
 * @throws A3sError what resolveBox throws.
 */
export async function waitBox(engine: Engine, query: string): Promise<number> {
  const record = await findSettledBox(engine, query);
  if (!isUp(record)) return record.exit_code ?? 0;
  try {
    return (await waitForBox(record)).exitCode;
  } catch (error) {
    if (!isHungUp(error)) throw error;
    await waitForEnd(engine, record);
  }
  // The monitor went before it answered: the record says how, if there still is one.
  try {
    return (await findBox(engine, record.id)).exit_code ?? LOST_EXIT_CODE;
  } catch (error) {
    if (error instanceof A3sError && error.code === 'no_such_box') return LOST_EXIT_CODE;
    throw error;
  }
}
