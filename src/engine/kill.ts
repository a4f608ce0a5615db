/** `kill`: a signal to the workload. */
import { A3sError } from '../errors.ts';
import { signalBox } from '../runtime/control-client.ts';
import { findBox, isUp } from './engine.ts';
import { tellSignal } from './box-tell.ts';
import { endingBox, noteUserEnd, whileRunning } from './settle.ts';
import { parseSignal, stopSignalOf } from './signals.ts';
import type { Engine } from './types.ts';

const SIGKILL = 9;

/**
 * Sends a signal. A box that is killed, or gets its stop signal, is not started again by its policy. After KILL it resolves once the box has stopped and its record says so.
 * @throws A3sError `usage` for an unknown signal, `box_not_running`, and what resolveBox throws.
 */
export async function killBox(engine: Engine, query: string, signal: string): Promise<void> {
  const number = parseSignal(signal);
  const record = await findBox(engine, query);
  const notRunning = (cause?: A3sError): A3sError =>
    new A3sError(
      'box_not_running',
      `cannot kill container: ${query}: container ${record.id} is not running`,
      {
        cause,
      },
    );
  if (!isUp(record)) throw notRunning();
  if (number === SIGKILL || number === stopSignalOf(record)) await noteUserEnd(engine, record);
  const send = () => signalBox(record, number);
  tellSignal(engine.layout, record, number);
  await (number === SIGKILL
    ? endingBox(engine, record, send)
    : whileRunning(engine, record, send, notRunning));
}
