/** The key sequence that leaves a box running; after moby/term's escape proxy. */
import { readClientConfig } from '../../engine/client-config.ts';
import { A3sError } from '../../errors.ts';
import type { CommandContext } from '../command.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

const CONTROL = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/**
 * The keys that were asked for, else those of Docker's `config.json`.
 * @throws A3sError as parseDetachKeys
 */
export function chosenDetachKeys(
  client: Pick<CommandContext, 'env' | 'warn'>,
  flags: { 'detach-keys': string },
  given: ReadonlySet<string>,
): string {
  const flag = given.has('detach-keys') ? flags['detach-keys'] : '';
  const keys = flag || readClientConfig(client).detachKeys || DEFAULT_DETACH_KEYS;
  parseDetachKeys(keys);
  return keys;
}

/**
 * Key codes of `ctrl-p,ctrl-q` or `a,b,ctrl-_`; of the default for an empty text, as in Docker.
 * @throws A3sError `usage` in Docker's words
 */
export function parseDetachKeys(text: string): number[] {
  return (text === '' ? DEFAULT_DETACH_KEYS : text).split(',').map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const control = key.startsWith('ctrl-') ? key.slice('ctrl-'.length) : '';
    const code = control.length === 1 ? CONTROL.indexOf(control.toLowerCase()) : -1;
    if (code === -1) {
      throw new A3sError('usage', `invalid detach keys (${text}): Unknown character: '${key}'`, {
        exitStatus: 1,
      });
    }
    return code;
  });
}

export interface ScanResult {
  /** What the workload gets. */
  pass: Buffer;
  detached: boolean;
}

/** Holds back what may be the start of the sequence and gives it on when another key breaks it. */
export class DetachScanner {
  private readonly keys: readonly number[];
  private matched = 0;

  /** @param keys an empty sequence never detaches */
  constructor(keys: readonly number[]) {
    this.keys = keys;
  }

  scan(chunk: Buffer): ScanResult {
    if (this.keys.length === 0) return { pass: chunk, detached: false };
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte === this.keys[this.matched]) {
        this.matched += 1;
        if (this.matched === this.keys.length) return { pass: Buffer.from(pass), detached: true };
        continue;
      }
      pass.push(...this.keys.slice(0, this.matched));
      this.matched = 0;
      if (byte === this.keys[0]) this.matched = 1;
      else pass.push(byte);
    }
    return { pass: Buffer.from(pass), detached: false };
  }
}
