/**
 * Agents that sign and list keys, and do nothing else (draft-ietf-sshm-ssh-agent): what a RUN must not do with the user's agent
 * never reaches it.
 */
import { createConnection, type Socket } from 'node:net';

import type { SshKey } from './ssh-key.ts';
import { text, uint32, WireReader } from './ssh-wire.ts';

const FAILURE = 5;
const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
/** OpenSSH takes no longer messages. */
const MAX_MESSAGE = 256 * 1024;
const CONNECT_MS = 2000;
/** A user may have to touch a device or to say yes. */
const ANSWER_MS = 120_000;

/** Answers one message; both are without their length. */
export type AgentAnswer = (message: Buffer) => Promise<Buffer>;

/** Serves a connection until it ends. */
export async function serve(client: Socket, answer: AgentAnswer): Promise<void> {
  client.on('error', () => undefined);
  for await (const message of messages(client)) {
    const type = message[0];
    const allowed = type === REQUEST_IDENTITIES || type === SIGN_REQUEST;
    const reply = allowed ? await answer(message).catch(() => failure()) : failure();
    client.write(text(reply));
  }
}

/** Keys of files. */
export function keyAgent(keys: readonly { key: SshKey; comment: string }[]): AgentAnswer {
  return async (message) => {
    if (message[0] === REQUEST_IDENTITIES) {
      const list = keys.flatMap(({ key, comment }) => [text(key.blob), text(comment)]);
      return Buffer.concat([Buffer.from([IDENTITIES_ANSWER]), uint32(keys.length), ...list]);
    }
    const request = new WireReader(message.subarray(1));
    const [blob, data, flags] = [request.text(), request.text(), request.uint32()];
    const found = keys.find(({ key }) => key.blob.equals(blob));
    if (found === undefined) return failure();
    return Buffer.concat([Buffer.from([SIGN_RESPONSE]), text(found.key.sign(data, flags))]);
  };
}

/**
 * The user's own agent.
 * @returns also what ends the connection
 */
export function forwardedAgent(path: string): { answer: AgentAnswer; close: () => void } {
  const upstream = createConnection(path);
  upstream.on('error', () => undefined);
  upstream.setTimeout(CONNECT_MS, () => upstream.destroy());
  upstream.once('connect', () => upstream.setTimeout(0));
  const replies = messages(upstream);
  return {
    async answer(message) {
      const timer = setTimeout(() => upstream.destroy(), ANSWER_MS);
      try {
        upstream.write(text(message));
        const { value } = await replies.next();
        return value ?? failure();
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => upstream.destroy(),
  };
}

function failure(): Buffer {
  return Buffer.from([FAILURE]);
}

/** The messages of a stream; it is dropped for one that is too long. */
async function* messages(socket: Socket): AsyncGenerator<Buffer, undefined> {
  let pending: Buffer = Buffer.alloc(0);
  try {
    for await (const piece of socket as AsyncIterable<Buffer>) {
      pending = Buffer.concat([pending, piece]);
      while (pending.length >= 4) {
        const length = pending.readUInt32BE(0);
        if (length === 0 || length > MAX_MESSAGE) return;
        if (pending.length < 4 + length) break;
        yield pending.subarray(4, 4 + length);
        pending = pending.subarray(4 + length);
      }
    }
  } catch {
    // Whoever waits for a message is told by the end.
  }
}
