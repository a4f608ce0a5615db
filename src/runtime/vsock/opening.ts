/**
 * How a stream to a guest's port opens: `CONNECT <port>\n`, answered by a line that begins with `OK ` (Firecracker's
 * docs/vsock.md; docs/protocol.md, section 3). The same on a VMM's socket and on a stream of the guest channel.
 */
/** `OK ` and a 32-bit number; room for somebody's words. */
export const MAX_ANSWER = 256;
const NEWLINE = 10;
const EMPTY = Buffer.alloc(0);

export function connectLine(port: number): Buffer {
  return Buffer.from(`CONNECT ${port}\n`);
}

export type OpeningStep =
  | { kind: 'waiting' }
  /** `rest` came behind the answer: the stream's first bytes. */
  | { kind: 'open'; rest: Buffer; answerBytes: number }
  /** `line` with its newline. */
  | { kind: 'refused'; line: Buffer }
  /** More came than an answer may have, and no newline among it. */
  | { kind: 'endless' };

export class OpeningReader {
  #held: Buffer = EMPTY;

  /** What has come of the answer. */
  get held(): Buffer {
    return this.#held;
  }

  push(chunk: Buffer): OpeningStep {
    const all = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = all;
    const end = all.subarray(0, MAX_ANSWER).indexOf(NEWLINE) + 1;
    if (end === 0 && all.length < MAX_ANSWER) return { kind: 'waiting' };
    if (end === 0) return { kind: 'endless' };
    const line = all.subarray(0, end);
    if (!line.toString('latin1').startsWith('OK ')) return { kind: 'refused', line };
    return { kind: 'open', rest: all.subarray(end), answerBytes: end };
  }
}
