/** tar2sqfs (squashfs-tools-ng) as the sink of a tar. It needs no right beyond writing its file, and keeps owners, modes, times and xattrs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { A3sError, hasErrno } from '../../errors.ts';

const STDERR_KEPT = 4_096;
const GATHERED_BYTES = 64 * 1024;
/** What may wait for tar2sqfs before whoever produces it does. */
const AHEAD_BYTES = 1024 * 1024;
/** Larger pieces are not worth a copy. */
const LARGE_BYTES = 16 * 1024;
/** Without a byte taken or the end reached. Large directories make its end slow, not this slow. */
const STALL_MS = 300_000;

/** A squashfs that is being written. */
export class SquashfsWriter {
  readonly #child;
  readonly #ended: Promise<A3sError | null>;
  readonly #watchdog: NodeJS.Timeout;
  /** Small pieces on their way, the first `#gathered` bytes: an archive of small files is mostly headers. */
  #gathering = Buffer.allocUnsafeSlow(GATHERED_BYTES);
  #gathered = 0;
  #complaint = '';
  #hasStalled = false;

  /** Starts to write `file`, over one that is there. */
  constructor(file: string) {
    const options = ['--quiet', '--force', '--no-skip', '--compressor', 'lz4', '--defaults', 'mtime=0'];
    this.#child = spawn('tar2sqfs', [...options, file], { stdio: ['pipe', 'ignore', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(0, STDERR_KEPT);
    });
    // What broke the pipe is told by how the process ended.
    this.#child.stdin.on('error', () => undefined);
    this.#watchdog = setTimeout(() => {
      this.#hasStalled = true;
      this.#child.kill('SIGKILL');
    }, STALL_MS);
    this.#ended = once(this.#child, 'close')
      .then(([status, signal]) => (status === 0 ? null : this.#failure(signal)), cannotRun)
      .finally(() => clearTimeout(this.#watchdog));
  }

  /** Takes bytes of the tar; `settled` tells when there is room for more. */
  write(bytes: Buffer): void {
    if (bytes.length > LARGE_BYTES) {
      this.#flush();
      this.#child.stdin.write(bytes);
      return;
    }
    if (this.#gathered + bytes.length > this.#gathering.length) this.#flush();
    this.#gathered += bytes.copy(this.#gathering, this.#gathered);
  }

  #flush(): void {
    if (this.#gathered === 0) return;
    this.#child.stdin.write(this.#gathering.subarray(0, this.#gathered));
    this.#gathering = Buffer.allocUnsafeSlow(GATHERED_BYTES);
    this.#gathered = 0;
  }

  /** @throws A3sError when tar2sqfs has given up. */
  async settled(): Promise<void> {
    const { stdin } = this.#child;
    this.#watchdog.refresh();
    if (stdin.destroyed) throw await this.#reason();
    if (stdin.writableLength < AHEAD_BYTES) return;
    const controller = new AbortController();
    const drained = once(stdin, 'drain', { signal: controller.signal }).then(
      () => false,
      () => true,
    );
    const hasEnded = await Promise.race([drained, this.#ended.then(() => true)]);
    controller.abort();
    if (hasEnded) throw await this.#reason();
  }

  /** Ends the tar and waits until the file is whole. */
  async finish(): Promise<void> {
    this.#flush();
    this.#child.stdin.end();
    this.#watchdog.refresh();
    const failure = await this.#ended;
    if (failure !== null) throw failure;
  }

  /** Half a tar makes a squashfs, too: it must not come to a good end. */
  async abort(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async #reason(): Promise<A3sError> {
    return (await this.#ended) ?? new A3sError('io', 'tar2sqfs stopped reading before the end');
  }

  #failure(signal: unknown): A3sError {
    if (this.#hasStalled)
      return new A3sError('timeout', `tar2sqfs made no progress for ${STALL_MS / 1000} s`);
    if (typeof signal === 'string') return new A3sError('io', `tar2sqfs was killed by ${signal}`);
    return new A3sError('io', `tar2sqfs failed: ${this.#complaint.trim()}`);
  }
}

function cannotRun(cause: unknown): A3sError {
  if (!hasErrno(cause, 'ENOENT'))
    return new A3sError('io', `cannot run tar2sqfs: ${String(cause)}`, { cause });
  return new A3sError('host_setup', 'tar2sqfs is not installed', {
    hint: 'install it: apt-get install squashfs-tools-ng',
    cause,
  });
}
