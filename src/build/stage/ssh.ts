/** A step's ssh sockets: for each there is a stream that waits in the guest for a client, and is joined with the host's agent. */
import { connect, type Socket } from 'node:net';

import type { AgentLink, ControlStream } from '../../runtime/agent-link.ts';
import { MessageType, encodeData, encodeMessage } from '../../runtime/protocol/messages.ts';
import type { RunMount } from './types.ts';

/** Clients of one socket at a time; further ones wait. */
const MAX_CLIENTS = 16;
/** Bytes from the agent that may wait for the guest. */
const HIGH_WATER = 256 * 1024;

export class SshForwarding {
  readonly #link: AgentLink;
  readonly #clients = new Set<Client>();
  #isOver = false;

  /** Waits for clients of every socket that the mounts ask for; the step runs. */
  constructor(link: AgentLink, mounts: readonly RunMount[]) {
    this.#link = link;
    const sockets = mounts.filter((mount) => mount.type === 'ssh');
    for (const [socket, { agentSocket }] of sockets.entries()) this.#await(socket, agentSocket, { open: 0 });
  }

  /** Drops all clients. */
  end(): void {
    this.#isOver = true;
    for (const client of this.#clients) client.drop();
    this.#clients.clear();
  }

  /** @param count the streams of this socket, the waiting one among them. */
  #await(socket: number, agentSocket: string, count: { open: number }): void {
    if (this.#isOver || count.open >= MAX_CLIENTS) return;
    count.open += 1;
    const client = new Client(this.#link, socket, agentSocket, {
      served: () => this.#await(socket, agentSocket, count),
      gone: () => {
        this.#clients.delete(client);
        count.open -= 1;
        // All were busy: nobody has waited since.
        if (count.open === MAX_CLIENTS - 1) this.#await(socket, agentSocket, count);
      },
    });
    this.#clients.add(client);
  }
}

interface ClientEvents {
  /** It has come: another may be waited for. */
  served: () => void;
  gone: () => void;
}

/** A stream that waits for a client, then the client. */
class Client {
  readonly #stream: ControlStream;
  #agent: Socket | undefined;
  #isGone = false;

  constructor(link: AgentLink, socket: number, agentSocket: string, events: ClientEvents) {
    const gone = (): void => {
      if (this.#isGone) return;
      this.drop();
      events.gone();
    };
    this.#stream = link.control(
      { op: 'stage_client', socket },
      {
        said: (said) => {
          if (said.kind === 'started') {
            this.#join(agentSocket, gone);
            events.served();
          } else if (said.kind === 'stdout') this.#hear(said.message.payload);
          else if (said.kind === 'stderr') {
            this.#stream.consume(said.message.payload.length);
            this.#agent?.end();
          } else if (said.kind === 'result') gone();
        },
        error: gone,
      },
    );
    this.#stream.onDrain(() => this.#agent?.resume());
  }

  drop(): void {
    this.#isGone = true;
    this.#agent?.destroy();
    this.#stream.reset();
  }

  /** An agent that cannot be reached looks like one that hangs up. */
  #join(agentSocket: string, gone: () => void): void {
    const agent = connect({ path: agentSocket, allowHalfOpen: true });
    this.#agent = agent;
    agent.on('data', (chunk: Buffer) => {
      for (const message of encodeData(MessageType.stdin, chunk)) this.#stream.send(message);
      if (this.#stream.queuedBytes > HIGH_WATER) agent.pause();
    });
    agent.on('end', () => this.#stream.send(encodeMessage(MessageType.stdinEof)));
    agent.on('error', gone);
  }

  #hear(bytes: Buffer): void {
    if (this.#agent === undefined || this.#agent.destroyed) this.#stream.consume(bytes.length);
    else this.#agent.write(bytes, () => this.#stream.consume(bytes.length));
  }
}
