/** What the monitor writes into its box's record, in order, each change once. */
import { A3sError } from '../../errors.ts';
import type { Layout } from '../../state/layout.ts';
import { boxEvent, endEvents } from '../../state/box-events.ts';
import { appendEvents } from '../../state/journal.ts';
import { deleteBox, updateBox } from '../../state/box-updates.ts';
import { processStart } from '../../state/processes.ts';
import type { BoxRecord, HealthStatus, PortMapping } from '../../state/record.ts';
import { restarts } from '../../state/restart-policy.ts';
import type { ProcessResult } from '../process-session.ts';

export interface End {
  result: ProcessResult;
  /** The workload ran. */
  hasStarted: boolean;
  /** Who may have the box run again: its policy, or a command that asked for it; `never` for a start that failed. */
  again: 'policy' | 'asked' | 'never';
  /** This process goes, and leaves the restart to the next command. */
  leaving: boolean;
  /** Called before the record says that the box is idle. */
  idle: () => void;
}

export class BoxLedger {
  readonly #layout: Layout;
  readonly #record: BoxRecord;
  /** A command asked for the end: a restart policy must not undo it. */
  stoppedByUser = false;
  /** The end was asked for by `stop` or `restart`, which have an event of their own. */
  stopAsked = false;
  #startedAt: string | null = null;

  /** @param record the box as it was launched */
  constructor(layout: Layout, record: BoxRecord) {
    this.#layout = layout;
    this.#record = record;
  }

  /**
   * The workload runs, because its policy or a user has started it.
   * @returns whether a user has stopped a box that its policy starts: it is to end again.
   */
  async running(ports: PortMapping[], by: 'policy' | 'user'): Promise<boolean> {
    const startedAt = new Date().toISOString();
    this.#startedAt = startedAt;
    let isStopped = false;
    const written = await updateBox(this.#layout, this.#record.id, (record) => {
      record.status = 'running';
      record.pid = process.pid;
      record.pid_start = processStart(process.pid);
      record.started_at = startedAt;
      record.finished_at = null;
      record.exit_code = null;
      record.oom_killed = false;
      record.error = '';
      record.port_map = ports;
      record.has_writes = true;
      if (by === 'user') {
        record.restart_count = 0;
        // Before a policy's start it may have been set meanwhile, by who is about to ask for the end.
        record.stopped_by_user = false;
      } else if (record.stopped_by_user) {
        isStopped = true;
        this.stoppedByUser = true;
      }
      record.health = hasHealthCheck(record) ? 'starting' : null;
    });
    if (written === null)
      throw new A3sError('no_such_box', `container ${this.#record.name} was removed while it started`);
    return isStopped;
  }

  /** The VM was stopped, or goes on. */
  async paused(on: boolean): Promise<void> {
    await this.#whileUp((record) => {
      record.status = on ? 'paused' : 'running';
    });
  }

  async health(status: HealthStatus): Promise<void> {
    await this.#whileUp((record) => {
      record.health = status;
    });
  }

  /** The record goes without a last state: what it would have told is put into the journal here. */
  #tellEnd(result: ProcessResult): void {
    const record = { ...this.#record, started_at: this.#startedAt };
    const { exitCode, oomKilled } = result;
    const end = { exitCode, oomKilled, finishedAt: new Date().toISOString() };
    appendEvents(this.#layout, endEvents(record, end));
    this.#tellStop(record);
  }

  /** The grace is over. */
  tellKill(): void {
    appendEvents(this.#layout, [boxEvent(this.#record, 'kill', { signal: '9' })]);
  }

  /** No record tells a stop from a kill. */
  #tellStop(record: BoxRecord): void {
    if (this.stopAsked) appendEvents(this.#layout, [boxEvent(record, 'stop')]);
    this.stopAsked = false;
  }

  /**
   * The end: stopped, dead (its VM vanished), never started, removed, or about to run again.
   * @returns the record that the next run is made from; null when there is none.
   */
  async ended(end: End): Promise<BoxRecord | null> {
    const { id } = this.#record;
    if (this.#record.auto_remove && end.again !== 'asked') {
      if (end.hasStarted) this.#tellEnd(end.result);
      end.idle();
      await deleteBox(this.#layout, id);
      return null;
    }
    let again = false;
    const record = await updateBox(this.#layout, id, (fresh) => {
      this.#noteEnd(fresh, end);
      again = this.#runsAgain(fresh, end);
      if (again && !end.leaving) return;
      fresh.pid = null;
      fresh.pid_start = null;
      end.idle();
    });
    if (record !== null && end.hasStarted) this.#tellStop(record);
    return again && !end.leaving ? record : null;
  }

  /** The restart that was due is not to be, or is left to the next command: the box keeps the end that it had. */
  async givenUp(leaving: boolean, idle: () => void): Promise<void> {
    const stopped = this.stoppedByUser;
    const record = await updateBox(this.#layout, this.#record.id, (fresh) => {
      fresh.status = leaving && !stopped ? 'restarting' : 'stopped';
      fresh.pid = null;
      fresh.pid_start = null;
      fresh.stopped_by_user = stopped;
      idle();
    });
    if (record !== null) this.#tellStop(record);
  }

  #noteEnd(record: BoxRecord, { result, hasStarted }: End): void {
    // Random host ports are drawn anew at the next start.
    record.port_map = this.#record.port_map;
    record.error = result.error?.message ?? '';
    record.exit_code = result.exitCode;
    if (!hasStarted) {
      record.status = record.started_at === null ? 'created' : 'stopped';
      return;
    }
    record.status = result.error?.stage === 'vm' ? 'dead' : 'stopped';
    record.oom_killed = result.oomKilled === true;
    record.stopped_by_user = this.stoppedByUser;
    record.finished_at = new Date().toISOString();
    // As Docker, which says so of every box whose checks have ended.
    if (record.health !== null) record.health = 'unhealthy';
  }

  #runsAgain(record: BoxRecord, { result, again }: End): boolean {
    const wanted =
      again === 'asked'
        ? !this.stoppedByUser
        : again === 'policy' &&
          restarts({ ...record, stopped_by_user: this.stoppedByUser, exit_code: result.exitCode });
    if (!wanted) return false;
    record.status = 'restarting';
    if (again === 'asked') record.restart_count = 0;
    else record.restart_count += 1;
    return true;
  }

  /** A change that must not overtake the end. */
  async #whileUp(change: (record: BoxRecord) => void): Promise<void> {
    await updateBox(this.#layout, this.#record.id, (record) => {
      const up = record.status === 'running' || record.status === 'paused';
      if (up && record.pid === process.pid) change(record);
    });
  }
}

/** True for a record whose box is checked while it runs. */
export function hasHealthCheck({ healthcheck }: BoxRecord): boolean {
  return healthcheck !== null && healthcheck.test.length > 1;
}
