/** Opening a session with the agent: docs/protocol.md, section 1. */
import { randomBytes } from '../../random.ts';
import { objectOr } from '../../json.ts';
import { ProtocolError } from './frames.ts';
import { guestText } from './guest-text.ts';

const READY = Buffer.from('A3S/1 READY ');
const LINE_BYTES = 45;
/** What an earlier session may have left in the channel. */
const MAX_DISCARD = 1024 * 1024;
const FATAL_MAX = 4096;

export function newNonce(): string {
  return randomBytes(16).toString('hex');
}

export function helloLine(nonce: string): Buffer {
  return Buffer.from(`A3S/1 HELLO ${nonce}\n`);
}

/** A boot error that the agent reported before it died. */
export interface AgentFatal {
  stage: string;
  errno: number;
  message: string;
}

export type HandshakeStep =
  | { kind: 'waiting' }
  /** `rest` are the session's first bytes. */
  | { kind: 'ready'; rest: Buffer }
  | { kind: 'unsupported' }
  | { kind: 'fatal'; fatal: AgentFatal };

/** Looks for the READY line with its own nonce and discards everything before it. */
export class HandshakeReader {
  readonly #ready: Buffer;
  #held = Buffer.alloc(0);
  #discarded = 0;

  constructor(nonce: string) {
    this.#ready = Buffer.concat([READY, Buffer.from(`${nonce}\n`)]);
  }

  /** @throws ProtocolError when more was discarded than an honest guest can have left. */
  push(chunk: Buffer): HandshakeStep {
    this.#held = Buffer.concat([this.#held, chunk]);
    const at = this.#held.indexOf(this.#ready);
    if (at >= 0) return { kind: 'ready', rest: this.#held.subarray(at + LINE_BYTES) };
    if (this.#held.includes('A3S/1 UNSUPPORTED\n')) return { kind: 'unsupported' };
    const fatal = findFatal(this.#held);
    if (fatal !== null) return { kind: 'fatal', fatal };
    if (this.#held.length > FATAL_MAX * 2) {
      const drop = this.#held.length - FATAL_MAX;
      this.#discarded += drop;
      this.#held = this.#held.subarray(drop);
    }
    if (this.#discarded > MAX_DISCARD) {
      throw new ProtocolError('the guest sent over 1 MiB without opening the session');
    }
    return { kind: 'waiting' };
  }
}

/** The agent's FATAL line in `bytes`, if a whole and well-formed one is there. */
export function findFatal(bytes: Buffer): AgentFatal | null {
  const start = bytes.indexOf('A3S/1 FATAL ');
  if (start < 0) return null;
  const end = bytes.indexOf('\n', start);
  if (end < 0 || end - start > FATAL_MAX) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', start + 12, end));
    const { stage, errno, message } = objectOr(value);
    if (typeof stage !== 'string' || typeof message !== 'string') return null;
    return {
      stage: guestText(stage),
      errno: typeof errno === 'number' ? errno : 0,
      message: guestText(message),
    };
  } catch {
    return null;
  }
}
