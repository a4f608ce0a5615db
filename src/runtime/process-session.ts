/** A process in a box, seen from the host: its streams, its terminal, its end. */
import type { Readable, Writable } from 'node:stream';

export interface ProcessResult {
  /** 0–255; 128+signal for a process killed by a signal. */
  exitCode: number;
  signal?: number;
  oomKilled?: boolean;
  timedOut?: boolean;
  /** Set when the process could not be started; `exitCode` is then 125, 126, 127 or 137. */
  error?: { code: string; stage: string; message: string; hint?: string };
}

export interface ProcessSession {
  /** Settles once the process runs; rejects with A3sError (`start_failed`, `boot_failed`, …) if it never does. */
  readonly started: Promise<void>;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never has bytes when the process has a terminal. */
  readonly stderr: Readable;
  resize(rows: number, cols: number): void;
  /** Sends a signal by its number. */
  signal(number: number): void;
  /** The process's end; rejects when the box or the connection is lost. Both streams have ended by then, though their last bytes may still wait for their reader. */
  readonly result: Promise<ProcessResult>;
  /** Leaves the process running and closes the session (detach). */
  detach(): void;
}
