/** Boxes whose agent can be asked at once. */
import { A3sError } from '../errors.ts';
import type { BoxRecord } from '../state/record.ts';
import { findBox } from './engine.ts';
import type { Engine } from './types.ts';

/**
 * The running box that `query` means.
 * @throws A3sError `box_paused`, `box_not_running` in Docker's words, and what resolveBox throws.
 */
export async function findRunning(engine: Engine, query: string): Promise<BoxRecord> {
  const record = await findBox(engine, query);
  if (record.status === 'running') return record;
  if (record.status === 'paused') {
    throw new A3sError('box_paused', `Container ${query} is paused, unpause the container first`);
  }
  throw record.status === 'restarting' ? restarting(record) : notRunning(record);
}

/** In the words of Docker's engine. */
export function notRunning({ id }: Pick<BoxRecord, 'id'>, cause?: A3sError): A3sError {
  return new A3sError('box_not_running', `container ${id} is not running`, { cause });
}

/** In the words of Docker's engine. */
export function restarting({ id }: Pick<BoxRecord, 'id'>): A3sError {
  return new A3sError(
    'box_not_running',
    `Container ${id} is restarting, wait until the container is running`,
  );
}
