/** `stop`: a signal, a time of grace, KILL. */
import { stopBox as stopWorkload } from '../runtime/control-client.ts';
import { graceSeconds } from '../state/grace.ts';
import type { BoxRecord } from '../state/record.ts';
import { tellSignal } from './box-tell.ts';
import { isUp } from './engine.ts';
import { endingBox, findSettledBox, noteUserEnd } from './settle.ts';
import { parseSignal } from './signals.ts';
import type { Engine } from './types.ts';

export interface StopOptions {
  /** Undefined: the box's own. */
  signal: string | undefined;
  /** Negative waits for ever; undefined: the box's own. */
  timeoutSeconds: number | undefined;
}

/** Stops a box; resolves once its record says so. One that does not run is left alone. Errors as in resolveBox. */
export async function stopBox(engine: Engine, query: string, options: StopOptions): Promise<void> {
  const record = await findSettledBox(engine, query);
  const request = stopRequest(record, options);
  if (!isUp(record)) return;
  await noteUserEnd(engine, record);
  tellSignal(engine.layout, record, request.signal);
  await endingBox(engine, record, () => stopWorkload(record, request));
}

/**
 * What a monitor is asked for.
 * @throws A3sError `usage` for an unknown signal.
 */
export function stopRequest(
  record: BoxRecord,
  { signal, timeoutSeconds }: StopOptions,
): { signal: number; timeoutSeconds: number } {
  return {
    signal: parseSignal(signal === undefined || signal === '' ? record.stop_signal : signal),
    timeoutSeconds: graceSeconds(timeoutSeconds ?? record.stop_timeout),
  };
}
