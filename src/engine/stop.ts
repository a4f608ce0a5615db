/** `stop`: a signal, a time of grace, KILL. */
import { stopBox as stopWorkload } from '../runtime/control-client.ts';
import { graceSeconds } from '../state/grace.ts';
import { tellSignal } from './box-tell.ts';
import { isUp } from './engine.ts';
import { endingBox, findSettledBox } from './settle.ts';
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
  const given = options.signal === undefined || options.signal === '' ? undefined : options.signal;
  const asked = given === undefined ? undefined : parseSignal(given);
  const record = await findSettledBox(engine, query);
  if (!isUp(record)) return;
  const signal = asked ?? parseSignal(record.stop_signal);
  const timeoutSeconds = graceSeconds(options.timeoutSeconds ?? record.stop_timeout);
  tellSignal(engine.layout, record, signal);
  await endingBox(engine, record, () => stopWorkload(record, { signal, timeoutSeconds }));
}
