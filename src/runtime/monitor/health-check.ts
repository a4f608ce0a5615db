/** One run of a health check's command, through the box's own exec service. */
import { finished } from 'node:stream/promises';

import { goDuration } from '../../go-duration.ts';
import type { HealthResult } from '../../state/health-log.ts';
import type { BoxRecord, HealthCheck } from '../../state/record.ts';
import { execInBox } from '../exec-client.ts';
import type { ProcessSession } from '../process-session.ts';
import { timeoutMs } from './health-state.ts';
import { timestamp } from './json-log.ts';

/** Docker keeps so much of what a check says. */
const MAX_OUTPUT = 4096;
/** A guest kills a check that takes too long; one that does not answer even then is left to itself. */
const ANSWER_MS = 10_000;
const MS_PER_S = 1000;
const NS_PER_MS = 1_000_000;

/** Runs the check to its end, its time-out, or `signal`; never rejects. */
export async function runHealthCheck(
  record: BoxRecord,
  check: HealthCheck,
  signal: AbortSignal,
): Promise<HealthResult> {
  const start = timestamp();
  const limit = timeoutMs(check);
  try {
    const session = await execInBox(record, {
      cmd: commandOf(check),
      env: [],
      tty: false,
      openStdin: false,
      privileged: false,
      timeoutSeconds: limit / MS_PER_S,
    });
    const output = new KeptOutput(session);
    const result = await Promise.race([session.result, givenUp(limit + ANSWER_MS, signal)]);
    if (result === null) session.detach();
    // The last bytes may still lie in the streams.
    await output.ended;
    const end = timestamp();
    if (result === null || result.timedOut === true) {
      const said = output.text === '' ? '' : `: ${output.text}`;
      const message = `Health check exceeded timeout (${goDuration(limit * NS_PER_MS)})${said}`;
      return { start, end, exit_code: -1, output: message };
    }
    if (result.error !== undefined) {
      return { start, end, exit_code: -1, output: result.error.message };
    }
    return { start, end, exit_code: result.exitCode, output: output.text };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { start, end: timestamp(), exit_code: -1, output: message };
  }
}

/** `CMD` is run as it is, `CMD-SHELL` by the shell. */
function commandOf({ test }: HealthCheck): string[] {
  const [kind, ...words] = test;
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words.join(' ')] : words;
}

/** Null after that time, or at the signal. */
function givenUp(ms: number, signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), ms);
    timer.unref();
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve(null);
      },
      { once: true },
    );
  });
}

/** The first bytes of both streams as they come; the rest is read and dropped. */
class KeptOutput {
  readonly #kept: Buffer[] = [];
  #size = 0;
  #cut = false;
  /** Both streams have been read to their ends. */
  readonly ended: Promise<unknown>;

  constructor({ stdout, stderr }: ProcessSession) {
    this.ended = Promise.all(
      [stdout, stderr].map((stream) => {
        stream.on('data', (chunk: Buffer) => this.#keep(chunk));
        return finished(stream, { writable: false });
      }),
    );
    // Whoever lost interest in the check is not told.
    this.ended.catch(() => {});
  }

  get text(): string {
    return `${Buffer.concat(this.#kept).toString('utf8')}${this.#cut ? '...' : ''}`;
  }

  #keep(chunk: Buffer): void {
    const part = chunk.subarray(0, MAX_OUTPUT - this.#size);
    if (part.length < chunk.length) this.#cut = true;
    if (part.length === 0) return;
    this.#size += part.length;
    this.#kept.push(Buffer.from(part));
  }
}
