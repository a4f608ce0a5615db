/** One warm box as its keeper sees it: a monitor at the other end of a connection. */
import type { Socket } from 'node:net';

import { MessageSession } from '../../runtime/message-session.ts';
import { MessageType, encodeJsonMessage } from '../../runtime/protocol/messages.ts';
import { spawnMonitor } from '../../runtime/spawn-monitor.ts';
import type { WarmRequest } from '../../runtime/warm/request.ts';
import { removeBoxDirectory } from '../../state/box-updates.ts';
import { newBoxId } from '../../state/ids.ts';
import { boxDirectory, type Layout, layoutOf } from '../../state/layout.ts';
import { killBoxProcesses } from '../../state/processes.ts';
import { withdrawOffer } from '../../state/warm-boxes.ts';
import type { MemberStatus } from './spec.ts';

/** How a member came to its end. */
export type MemberEnd = { kind: 'taken' } | { kind: 'released' } | { kind: 'failed'; reason: string };

/** A monitor ends its VM and removes its files in a moment. */
const LAST_STEPS_MS = 10_000;

export class Member {
  readonly id = newBoxId().shortId;
  /** Never rejects. */
  readonly ended: Promise<MemberEnd>;
  readonly since = new Date().toISOString();
  readonly #boxDir: string;
  readonly #connection: Socket;
  #released = false;
  #state: MemberStatus['state'] = 'warming';

  constructor(request: Omit<WarmRequest, 'op' | 'shortId'>, ready: () => void) {
    const layout = layoutOf(request.home);
    this.#boxDir = boxDirectory(layout, this.id);
    this.#connection = spawnMonitor(this.#boxDir).connection;
    const session = new MessageSession(this.#connection);
    const warm: WarmRequest = { op: 'warm', shortId: this.id, ...request };
    this.#connection.write(encodeJsonMessage(MessageType.request, warm));
    void this.#whenReady(session, ready);
    this.ended = this.#end(session, layout);
  }

  async #whenReady({ started }: MessageSession, ready: () => void): Promise<void> {
    try {
      await started;
    } catch {
      // Told by the result.
      return;
    }
    this.#state = 'ready';
    ready();
  }

  async #end({ result }: MessageSession, layout: Layout): Promise<MemberEnd> {
    try {
      const { error } = await result;
      return error === undefined ? { kind: 'taken' } : this.#lost(error.message);
    } catch {
      // A monitor that was killed may have left its VM, which dies of it, and its files.
      await killBoxProcesses(this.#boxDir).catch(() => {});
      withdrawOffer(layout, this.id);
      removeBoxDirectory(layout, this.id);
      return this.#lost('its monitor was lost');
    }
  }

  /** It was let go of: what it is until it ends counts for nothing. */
  get isReleased(): boolean {
    return this.#released;
  }

  get status(): MemberStatus {
    return { id: this.id, state: this.#state, since: this.since };
  }

  /** Lets go of it: it ends unless a command has taken it. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#connection.end();
    // One that does not hear is stuck.
    const kill = setTimeout(() => void killBoxProcesses(this.#boxDir).catch(() => {}), LAST_STEPS_MS);
    void this.ended.then(() => clearTimeout(kill));
  }

  #lost(reason: string): MemberEnd {
    return this.#released ? { kind: 'released' } : { kind: 'failed', reason };
  }
}
