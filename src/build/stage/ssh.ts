/** A step's ssh sockets: for each there is a stream that waits in the guest for a client, and is joined with the host's agent. */
import { connect } from 'node:net';

import type { AgentLink, ControlStream } from '../../runtime/agent-link.ts';
import { MessageType, encodeData, encodeMessage } from '../../runtime/protocol/messages.ts';
import type { RunMount } from './types.ts';

/** Clients of one socket at a time; further ones wait. */
const MAX_CLIENTS = 16;
/** Bytes from the agent that may wait for the guest. */
const HIGH_WATER = 256 * 1024;

export class SshForwarding {
  readonly #link: AgentLink;
  readonly #streams = new Set<() => void>();
  #isOver = false;

  /** Waits for clients of every socket that the mounts ask for; the step runs. */
  constructor(link: AgentLink, mounts: readonly RunMount[]) {
    this.#link = link;
    const sockets = mounts.filter((mount) => mount.type === 'ssh');
    for (const [socket, { agentSocket }] of sockets.entries())
      this.#await(socket, agentSocket, { clients: 0 });
  }

  /** Drops all clients. */
  end(): void {
    this.#isOver = true;
    for (const drop of this.#streams) drop();
    this.#streams.clear();
  }

  #await(socket: number, agentSocket: string, count: { clients: number }): void {
    if (this.#isOver) return;
    let drop = (): void => stream.reset();
    const dropAll = (): void => drop();
    let isServed = false;
    const gone = (): void => {
      this.#streams.delete(dropAll);
      drop();
      if (!isServed) return;
      isServed = false;
      count.clients -= 1;
      if (count.clients === MAX_CLIENTS - 1) this.#await(socket, agentSocket, count);
    };
    let agent: ReturnType<typeof connect> | undefined;
    const stream: ControlStream = this.#link.control(
      { op: 'stage_client', socket },
      {
        said: (said) => {
          if (said.kind === 'started') {
            isServed = true;
            count.clients += 1;
            if (count.clients < MAX_CLIENTS) this.#await(socket, agentSocket, count);
            agent = join(stream, agentSocket);
            const opened = agent;
            drop = () => {
              opened.destroy();
              stream.reset();
            };
          } else if (said.kind === 'stdout') {
            const { payload } = said.message;
            if (agent === undefined || agent.destroyed) stream.consume(payload.length);
            else agent.write(payload, () => stream.consume(payload.length));
          } else if (said.kind === 'result') gone();
        },
        error: gone,
      },
    );
    this.#streams.add(dropAll);
  }
}

/** Joins a client with the host's agent. One that cannot be reached looks like one that hangs up. */
function join(stream: ControlStream, agentSocket: string): ReturnType<typeof connect> {
  const agent = connect({ path: agentSocket, allowHalfOpen: true });
  agent.on('data', (chunk: Buffer) => {
    for (const message of encodeData(MessageType.stdin, chunk)) stream.send(message);
    if (stream.queuedBytes > HIGH_WATER) agent.pause();
  });
  stream.onDrain(() => agent.resume());
  agent.on('end', () => stream.send(encodeMessage(MessageType.stdinEof)));
  agent.on('error', () => stream.reset());
  return agent;
}
