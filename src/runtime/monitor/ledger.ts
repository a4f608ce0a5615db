/** What the monitor writes into its box's record, in order, each change once. */
import { A3sError } from '../../errors.ts';
import type { Layout } from '../../state/layout.ts';
import { boxEvent, dieEvent } from '../../state/box-events.ts';
import { appendEvents } from '../../state/journal.ts';
import { deleteBox, updateBox } from '../../state/box-updates.ts';
import { processStart } from '../../state/processes.ts';
import type { BoxRecord, PortMapping } from '../../state/record.ts';
import type { ProcessResult } from '../process-session.ts';

export class BoxLedger {
  readonly #layout: Layout;
  readonly #record: BoxRecord;
  /** `stop` asked for the end: a restart policy must not undo it. */
  stoppedByUser = false;
  #startedAt: string | null = null;

  constructor(layout: Layout, record: BoxRecord) {
    this.#layout = layout;
    this.#record = record;
  }

  /** The workload runs. */
  async running(ports: PortMapping[]): Promise<void> {
    const startedAt = new Date().toISOString();
    this.#startedAt = startedAt;
    const written = await updateBox(this.#layout, this.#record.id, (record) => {
      record.status = 'running';
      record.pid = process.pid;
      record.pid_start = processStart(process.pid);
      record.started_at = startedAt;
      record.finished_at = null;
      record.exit_code = null;
      record.oom_killed = false;
      record.stopped_by_user = false;
      record.error = '';
      record.port_map = ports;
      record.has_writes = true;
    });
    if (written === null)
      throw new A3sError('no_such_box', `container ${this.#record.name} was removed while it started`);
  }

  /** The record goes without a last state: what it would have told is put into the journal here. */
  #tellEnd(result: ProcessResult): void {
    const record = { ...this.#record, started_at: this.#startedAt };
    const end = dieEvent(record, result.exitCode, new Date().toISOString());
    const events = [
      ...(result.oomKilled === true ? [boxEvent(record, 'oom')] : []),
      end,
      ...(this.stoppedByUser ? [boxEvent(record, 'stop')] : []),
    ];
    appendEvents(this.#layout, events);
  }

  /** The end: stopped, dead (its VM vanished), never started, or removed. */
  async ended(result: ProcessResult, neverStarted: boolean): Promise<void> {
    const { id } = this.#record;
    if (this.#record.auto_remove) {
      if (!neverStarted) this.#tellEnd(result);
      await deleteBox(this.#layout, id);
      return;
    }
    await updateBox(this.#layout, id, (record) => {
      record.pid = null;
      record.pid_start = null;
      // Random host ports are drawn anew at the next start.
      record.port_map = this.#record.port_map;
      record.error = result.error?.message ?? '';
      if (neverStarted) {
        record.status = record.started_at === null ? 'created' : 'stopped';
        record.exit_code = result.exitCode;
        return;
      }
      record.status = result.error?.stage === 'vm' ? 'dead' : 'stopped';
      record.exit_code = result.exitCode;
      record.oom_killed = result.oomKilled === true;
      record.stopped_by_user = this.stoppedByUser;
      record.finished_at = new Date().toISOString();
    });
  }
}
