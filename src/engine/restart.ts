/** `restart`: stop and start, in the same monitor where there is one. */
import { restartBox as restartWorkload } from '../runtime/control-client.ts';
import type { BoxRecord } from '../state/record.ts';
import { tellBox, tellSignal } from './box-tell.ts';
import { isUp } from './engine.ts';
import { findSettledBox, isHungUp, waitForEnd } from './settle.ts';
import { startIdle } from './start.ts';
import { type StopOptions, stopRequest } from './stop.ts';
import type { Engine } from './types.ts';

/**
 * Restarts a box, or starts one that does not run; resolves once the workload runs. A box with `--rm` is not removed.
 * @throws A3sError `usage` for an unknown signal, and what startIdle throws.
 */
export async function restartBox(engine: Engine, query: string, options: StopOptions): Promise<void> {
  let record = await findSettledBox(engine, query);
  const request = stopRequest(record, options);
  while (!(await restarted(engine, record, request))) record = await findSettledBox(engine, record.id);
  tellBox(engine.layout, record, 'restart');
}

/** False for a box that is not any more what it was found as: it ended by itself, or another command was quicker. */
async function restarted(
  engine: Engine,
  record: BoxRecord,
  request: { signal: number; timeoutSeconds: number },
): Promise<boolean> {
  if (!isUp(record)) {
    const started = await startIdle(engine, record, { output: false, stdin: false });
    await started?.session.started;
    started?.session.detach();
    return started !== null;
  }
  try {
    tellSignal(engine.layout, record, request.signal);
    await restartWorkload(record, request);
    return true;
  } catch (error) {
    if (!isHungUp(error)) throw error;
    await waitForEnd(engine, record);
    return false;
  }
}
