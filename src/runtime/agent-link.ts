/** The host's end of the guest channel: one session, its multiplexer, and the requests of port 4090. */
import type { Socket } from 'node:net';

import { A3sError } from '../errors.ts';
import { ProtocolError } from './protocol/frames.ts';
import { HandshakeReader, findFatal, helloLine, newNonce, type AgentFatal } from './protocol/handshake.ts';
import { MessageType, encodeJsonMessage } from './protocol/messages.ts';
import { Mux } from './protocol/mux.ts';
import type { MuxStream } from './protocol/mux-stream.ts';
import type { ProcessResult } from './process-session.ts';
import { AnswerReader, type Said } from './vsock/answer.ts';

export const AgentPort = { health: 4088, exec: 4089, control: 4090 } as const;

export interface AgentLinkEvents {
  /** The session is over: the channel closed, or the guest broke the protocol. Called once. */
  lost: (error: Error) => void;
}

export interface ControlListener {
  said: (said: Said) => void;
  /** The stream ended without a RESULT, or broke. */
  error: (error: Error) => void;
}

export interface ControlStream {
  /** Sends one encoded message. */
  send: (message: Buffer) => void;
  readonly queuedBytes: number;
  /** Gives back window for output that has found its readers. */
  consume: (bytes: number) => void;
  /** Called whenever the queue of unsent bytes has emptied. */
  onDrain: (callback: () => void) => void;
  /** Drops the stream: what the guest does for it is killed. The listener hears nothing more. */
  reset: () => void;
}

/** The agent has come to its end: it said why, writes its disks and ends the machine. */
export class AgentFailed extends A3sError {
  constructor({ message, stage }: AgentFatal) {
    super('guest_protocol', `the guest agent failed: ${message}`, { stage });
  }
}

export class AgentLink {
  readonly #mux: Mux;
  readonly #socket: Socket;
  #lost = false;
  #frozen: (() => void) | undefined;

  private constructor(socket: Socket, events: AgentLinkEvents, first: Buffer) {
    this.#socket = socket;
    const lost = (error: Error): void => {
      if (this.#lost) return;
      this.#lost = true;
      this.#mux.fail(error);
      socket.destroy();
      events.lost(error);
    };
    this.#mux = new Mux({
      write: (bytes) => {
        this.#gather();
        return socket.write(bytes);
      },
      goAway: (code) => {
        if (code === 0 && this.#frozen !== undefined) {
          this.#lost = true;
          this.#frozen();
        } else {
          lost(new ProtocolError(`the agent ended the session with code ${code}`));
        }
      },
    });
    const receive = (chunk: Buffer): void => {
      try {
        this.#mux.receive(chunk);
      } catch (error) {
        lost(lastWords(chunk) ?? (error instanceof Error ? error : new ProtocolError('unknown failure')));
      }
    };
    socket.on('data', receive);
    socket.on('drain', () => this.#mux.channelDrained());
    socket.on('close', () => lost(new Error('the guest channel closed')));
    if (first.length > 0) receive(first);
  }

  /**
   * Opens a session: HELLO, READY within `timeoutMs`.
   * @throws A3sError `boot_failed` with the stage that the agent named, or `agent` when it stayed silent.
   */
  static open(socket: Socket, events: AgentLinkEvents, timeoutMs: number): Promise<AgentLink> {
    const nonce = newNonce();
    const reader = new HandshakeReader(nonce);
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        socket.off('data', receive);
        socket.off('close', closed);
        act();
      };
      const refuse = (stage: string, message: string): void =>
        settle(() => reject(new A3sError('boot_failed', message, { stage })));
      const closed = (): void => refuse('agent', 'the VM ended before its agent answered');
      const timer = setTimeout(
        () => refuse('agent', `the guest agent did not answer within ${timeoutMs} ms`),
        timeoutMs,
      );
      const receive = (chunk: Buffer): void => {
        try {
          const step = reader.push(chunk);
          if (step.kind === 'ready') settle(() => resolve(new AgentLink(socket, events, step.rest)));
          else if (step.kind === 'unsupported')
            refuse('handshake', 'the guest agent speaks another protocol');
          else if (step.kind === 'fatal')
            refuse(step.fatal.stage, `the guest failed to boot: ${step.fatal.message}`);
        } catch (error) {
          refuse('handshake', error instanceof Error ? error.message : String(error));
        }
      };
      socket.on('data', receive);
      socket.on('close', closed);
      socket.write(helloLine(nonce));
    });
  }

  /** What is written in one turn leaves in one system call: a frame's head is otherwise one of its own, here and in QEMU. */
  #gather(): void {
    if (this.#socket.writableCorked > 0) return;
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
  }

  /** Opens a stream to a guest port. */
  connect(port: number): MuxStream {
    return this.#mux.open(port);
  }

  /** Opens a control stream and sends its REQUEST. Every output byte must be given back by `consume`. */
  control(request: unknown, listener: ControlListener): ControlStream {
    const stream = this.#mux.open(AgentPort.control);
    const answer = new AnswerReader();
    // Bytes that are ours to give back: all but output payloads. Negative while a payload that came in parts is the listener's.
    let owed = 0;
    let drained = (): void => {};
    stream.listen({
      data: (chunk) => {
        owed += chunk.length;
        for (const said of answer.read(chunk)) {
          if (said.kind === 'stdout' || said.kind === 'stderr') owed -= said.message.payload.length;
          listener.said(said);
        }
        if (owed <= 0) return;
        stream.consume(owed);
        owed = 0;
      },
      end: () => {
        if (!answer.ended) listener.error(new ProtocolError('the control stream ended without a result'));
      },
      error: (error) => {
        if (!answer.ended) listener.error(error);
      },
      drain: () => drained(),
    });
    stream.write(encodeJsonMessage(MessageType.request, request));
    return {
      send: (message) => stream.write(message),
      get queuedBytes() {
        return stream.queuedBytes;
      },
      consume: (bytes) => stream.consume(bytes),
      onDrain: (callback) => {
        drained = callback;
      },
      reset: () => stream.reset(),
    };
  }

  /**
   * Ends the session and leaves the agent waiting for the next one, the channel still open: the state a template is saved in.
   * @throws A3sError as `request` does.
   */
  async freeze(timeoutMs: number): Promise<void> {
    const frozen = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new A3sError('timeout', `the guest agent did not freeze within ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.#frozen = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    await Promise.all([this.request({ op: 'freeze' }, timeoutMs), frozen]);
  }

  /**
   * A request whose only answer is its RESULT.
   * @throws A3sError `guest_protocol` when the session breaks, `timeout` after `timeoutMs`.
   */
  request(request: unknown, timeoutMs: number): Promise<ProcessResult> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new A3sError('timeout', `the guest agent did not finish within ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.control(request, {
        said: (said) => {
          if (said.kind !== 'result') return;
          clearTimeout(timer);
          resolve(said.result);
        },
        error: (error) => {
          clearTimeout(timer);
          reject(new A3sError('guest_protocol', error.message, { cause: error }));
        },
      });
    });
  }
}

/** What an agent said that came to its end in the middle of a session: no frame begins like its line. */
function lastWords(chunk: Buffer): AgentFailed | null {
  const fatal = findFatal(chunk);
  if (fatal === null) return null;
  return new AgentFailed(fatal);
}
