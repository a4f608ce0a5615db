/** `restart`: stop and start, in the same monitor where there is one. */
import { A3sError } from '../errors.ts';
import { restartBox as restartWorkload } from '../runtime/control-client.ts';
import { tellBox, tellSignal } from './box-tell.ts';
import { isUp } from './engine.ts';
import { findSettledBox, waitForEnd } from './settle.ts';
import { startBox } from './start.ts';
import { type StopOptions, stopRequest } from './stop.ts';
import type { Engine } from './types.ts';

/**
 * Restarts a box, or starts one that does not run; resolves once the workload runs. A box with `--rm` is not removed.
 * @throws A3sError `usage` for an unknown signal, and what startBox throws.
 */
export async function restartBox(engine: Engine, query: string, options: StopOptions): Promise<void> {
  const record = await findSettledBox(engine, query);
  const request = stopRequest(record, options);
  if (isUp(record)) {
    try {
      tellSignal(engine.layout, record, request.signal);
      await restartWorkload(record, request);
      tellBox(engine.layout, record, 'restart');
      return;
    } catch (error) {
      // It was ending by itself; whatever else is wrong, a start will tell.
      const ended = error instanceof A3sError && (error.code === 'box_not_running' || error.code === 'io');
      if (!ended) throw error;
      await waitForEnd(engine, record);
    }
  }
  const { session } = await startBox(engine, record.id, { output: false, stdin: false });
  await session?.started;
  session?.detach();
  tellBox(engine.layout, record, 'restart');
}
