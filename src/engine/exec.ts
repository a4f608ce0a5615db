/** `exec`: one more process in a running box. */
import { A3sError } from '../errors.ts';
import { runDetached } from '../runtime/control-client.ts';
import { execInBox, type ExecSpec } from '../runtime/exec-client.ts';
import { tellExec } from '../runtime/exec-events.ts';
import type { ProcessSession } from '../runtime/process-session.ts';
import type { BoxRecord } from '../state/record.ts';
import { findBox } from './engine.ts';
import type { Engine } from './types.ts';

export type { ExecSpec } from '../runtime/exec-client.ts';

/**
 * Starts a command in a box.
 * @throws A3sError `box_not_running` and `box_paused` in Docker's words, and what resolveBox throws.
 */
export async function execBox(engine: Engine, query: string, spec: ExecSpec): Promise<ProcessSession> {
  return withExecutable(engine, query, async (record) =>
    tellExec(engine.layout, record, spec, await execInBox(record, spec)),
  );
}

/**
 * The same with nobody to read what it says; resolves once it runs. The box's monitor sees to its end.
 * @throws what execBox throws; A3sError `start_failed` with the exit status.
 */
export async function execDetached(engine: Engine, query: string, spec: ExecSpec): Promise<void> {
  return withExecutable(engine, query, (record) => runDetached(record, spec));
}

async function withExecutable<T>(
  engine: Engine,
  query: string,
  act: (record: BoxRecord) => Promise<T>,
): Promise<T> {
  const record = await findBox(engine, query);
  if (record.status === 'paused') {
    throw new A3sError('box_paused', `Container ${query} is paused, unpause the container before exec`);
  }
  if (record.status === 'restarting') throw restarting(record.id);
  if (record.status !== 'running') throw notRunning(record.id);
  try {
    return await act(record);
  } catch (error) {
    const ended = error instanceof A3sError && error.code === 'box_not_running';
    throw ended ? notRunning(record.id, error) : error;
  }
}

function restarting(id: string): A3sError {
  return new A3sError(
    'box_not_running',
    `Container ${id} is restarting, wait until the container is running`,
  );
}

function notRunning(id: string, cause?: A3sError): A3sError {
  return new A3sError('box_not_running', `container ${id} is not running`, { cause });
}
