/** `pause` and `unpause`: the VM's process is stopped, and goes on. */
import { A3sError } from '../errors.ts';
import { pauseBox as haltVm } from '../runtime/control-client.ts';
import type { BoxRecord } from '../state/record.ts';
import { dropFigures, keepFigures } from './box-usage.ts';
import { findBox } from './engine.ts';
import { whileRunning } from './settle.ts';
import type { Engine } from './types.ts';

/**
 * Pauses a box; resolves once its record says so.
 * @throws A3sError `box_not_running`, `box_paused`, and what resolveBox throws.
 */
export async function pauseBox(engine: Engine, query: string): Promise<void> {
  const record = await findBox(engine, query);
  if (record.status === 'paused') {
    throw new A3sError('box_paused', `Container ${record.id} is already paused`);
  }
  if (record.status === 'restarting') {
    throw notRunning(`Container ${record.id} is restarting, wait until the container is running`);
  }
  if (record.status !== 'running') throw notRunning(`container ${record.id} is not running`);
  await keepFigures(record);
  await halt(engine, record, true);
}

/**
 * Lets a paused box go on.
 * @throws A3sError `box_not_running` for one that is not paused, and what resolveBox throws.
 */
export async function unpauseBox(engine: Engine, query: string): Promise<void> {
  const record = await findBox(engine, query);
  if (record.status !== 'paused') throw notRunning(`Container ${record.id} is not paused`);
  dropFigures(record);
  await halt(engine, record, false);
}

function halt(engine: Engine, record: BoxRecord, on: boolean): Promise<void> {
  const ended = (cause: A3sError): A3sError => notRunning(`container ${record.id} is not running`, cause);
  return whileRunning(engine, record, () => haltVm(record, on), ended);
}

function notRunning(message: string, cause?: A3sError): A3sError {
  return new A3sError('box_not_running', message, { cause });
}
