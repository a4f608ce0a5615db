/** `attach`: the workload's own streams, joined once more. */
import { A3sError } from '../errors.ts';
import { attachBox } from '../runtime/control-client.ts';
import type { ProcessSession } from '../runtime/process-session.ts';
import type { BoxRecord } from '../state/record.ts';
import { tellAttached, tellBox } from './box-tell.ts';
import { findBox } from './engine.ts';
import type { AttachOptions, Engine } from './types.ts';

/**
 * The box that can be joined.
 * @throws A3sError `box_paused` and `box_not_running` in Docker's words, and what resolveBox throws.
 */
export async function findAttachable(engine: Engine, query: string): Promise<BoxRecord> {
  const record = await findBox(engine, query);
  if (record.status === 'paused') {
    throw new A3sError('usage', 'cannot attach to a paused container, unpause it first');
  }
  if (record.status === 'restarting') {
    throw new A3sError('usage', 'cannot attach to a restarting container, wait until it is running');
  }
  if (record.status === 'running') return record;
  throw new A3sError('usage', 'cannot attach to a stopped container, start it first');
}

/**
 * Joins a running box. Its output from now on comes to every session; input of several is mixed, and its end stays with the
 * session that started the box.
 * @throws A3sError `box_not_running`, `timeout`.
 */
export async function joinBox(
  engine: Engine,
  record: BoxRecord,
  options: AttachOptions,
): Promise<ProcessSession> {
  const session = await attachBox(record, options);
  tellBox(engine.layout, record, 'attach');
  return tellAttached(engine.layout, record, session);
}
