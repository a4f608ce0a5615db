/** `exec`: one more process in a running box. */
import { A3sError } from '../errors.ts';
import { runDetached } from '../runtime/control-client.ts';
import { execInBox, type ExecSpec } from '../runtime/exec-client.ts';
import { tellExec } from '../runtime/exec-events.ts';
import type { ProcessSession } from '../runtime/process-session.ts';
import type { BoxRecord } from '../state/record.ts';
import { findBox } from './engine.ts';
import { notRunning, restarting } from './running.ts';
import { isHungUp, waitForEnd, whileRunning } from './settle.ts';
import type { Engine } from './types.ts';

export type { ExecSpec } from '../runtime/exec-client.ts';

const SIGKILL = 9;

/**
 * Starts a command in a box.
 * @throws A3sError `box_not_running` and `box_paused` in Docker's words, and what resolveBox throws.
 */
export async function execBox(engine: Engine, query: string, spec: ExecSpec): Promise<ProcessSession> {
  return withExecutable(engine, query, async (record) => {
    const session = untilEnd(engine, record, await execInBox(record, spec));
    return tellExec(engine.layout, record, spec, session);
  });
}

/** A command whose box ends under it was killed, or never ran. */
function untilEnd(engine: Engine, record: BoxRecord, session: ProcessSession): ProcessSession {
  let hasStarted = false;
  const lost = async (error: unknown): Promise<void> => {
    if (!isHungUp(error)) throw error;
    // A box that goes on has broken the connection: that is what went wrong then.
    try {
      await waitForEnd(engine, record);
    } catch {
      throw error;
    }
    if (!hasStarted) throw notRunning(record);
  };
  const started = session.started.then(() => void (hasStarted = true), lost);
  const result = session.result.catch(async (error: unknown) => {
    await lost(error);
    return { exitCode: 128 + SIGKILL, signal: SIGKILL };
  });
  // A caller may await only one of the two.
  started.catch(() => {});
  result.catch(() => {});
  return {
    started,
    result,
    stdin: session.stdin,
    stdout: session.stdout,
    stderr: session.stderr,
    resize: (rows, cols) => session.resize(rows, cols),
    signal: (number) => session.signal(number),
    detach: () => session.detach(),
  };
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
  const paused = (cause?: A3sError): A3sError =>
    new A3sError('box_paused', `Container ${query} is paused, unpause the container before exec`, { cause });
  if (record.status === 'paused') throw paused();
  if (record.status === 'restarting') throw restarting(record);
  if (record.status !== 'running') throw notRunning(record);
  return whileRunning(
    engine,
    record,
    () => act(record),
    (cause, status) => (status === 'paused' ? paused(cause) : notRunning(record, cause)),
  );
}
