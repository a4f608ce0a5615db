/** The command's end of a connection that speaks messages: to a monitor, or through one to the agent's exec service. */
import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';

import { A3sError, isErrorCode } from '../errors.ts';
import {
  MessageDecoder,
  MessageType,
  encodeMessage,
  encodeResize,
  frameData,
  type Message,
} from './protocol/messages.ts';
import { guestText } from './protocol/guest-text.ts';
import { parseObject, parseResult } from './protocol/result.ts';
import type { ProcessResult, ProcessSession } from './process-session.ts';
import { withStartFailure } from './start-failure.ts';
import { trace } from '../trace.ts';

export interface SessionOptions {
  /** Bytes that arrived before the session took over the socket. */
  first?: Buffer;
  /** The other end is ours, and its hints are good advice. */
  hints?: boolean;
  /** What stands before the reason of a program that cannot be started. */
  startFailure?: string;
}

export class MessageSession implements ProcessSession {
  readonly started: Promise<void>;
  readonly result: Promise<ProcessResult>;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly #socket: Socket;
  readonly #hints: boolean;
  readonly #startFailure: string;
  readonly #start = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<ProcessResult>();
  readonly #decoder = new MessageDecoder([MessageType.stdout, MessageType.stderr]);
  /** Outputs whose readers have enough for now. */
  readonly #full = new Set<Readable>();
  /** What STARTED said, as it came. */
  startedWith: Buffer = Buffer.alloc(0);
  #hasStarted = false;
  #hasEnded = false;

  constructor(socket: Socket, { first, hints = true, startFailure = '' }: SessionOptions = {}) {
    this.#socket = socket;
    this.#hints = hints;
    this.#startFailure = startFailure;
    this.started = this.#start.promise;
    this.result = this.#end.promise;
    // A caller may await only one of the two.
    this.started.catch(() => {});
    this.result.catch(() => {});
    this.stdout = this.#output();
    this.stderr = this.#output();
    this.stdin = this.#input();
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#lost(new A3sError('io', 'the connection to the box was lost')));
    if (first !== undefined && first.length > 0) this.#receive(first);
  }

  resize(rows: number, cols: number): void {
    this.#send(encodeResize(rows, cols));
  }

  signal(number: number): void {
    this.#send(encodeMessage(MessageType.signal, Buffer.of(number)));
  }

  detach(): void {
    this.#hasEnded = true;
    this.#socket.destroy();
    this.stdout.push(null);
    this.stderr.push(null);
  }

  #send(bytes: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Heads and data in one system call, the data where they are. */
  #sendData(chunk: Buffer, done: () => void): void {
    this.#socket.cork();
    const pieces = frameData(MessageType.stdin, chunk);
    for (const [at, piece] of pieces.entries()) {
      this.#socket.write(piece, at === pieces.length - 1 ? done : undefined);
    }
    this.#socket.uncork();
  }

  #output(): Readable {
    const stream: Readable = new Readable({
      read: () => {
        if (this.#full.delete(stream) && this.#full.size === 0) this.#socket.resume();
      },
    });
    return stream;
  }

  #input(): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        // What cannot be delivered is not an error of the writer's: the process simply reads no more.
        if (this.#socket.destroyed || chunk.length === 0) done();
        else this.#sendData(chunk, () => done());
      },
      final: (done) => {
        this.#send(encodeMessage(MessageType.stdinEof));
        done();
      },
    });
  }

  #receive(chunk: Buffer): void {
    try {
      for (const message of this.#decoder.decode(chunk)) this.#message(message);
    } catch (cause) {
      const why = guestText(cause instanceof Error ? cause.message : String(cause));
      this.#lost(new A3sError('guest_protocol', `the box sent something unintelligible: ${why}`, { cause }));
      this.#socket.destroy();
    }
  }

  #message({ type, payload }: Message): void {
    if (type === MessageType.stdout) this.#deliver(this.stdout, payload);
    else if (type === MessageType.stderr) this.#deliver(this.stderr, payload);
    else if (type === MessageType.started) {
      this.#hasStarted = true;
      this.startedWith = payload;
      trace('command: waited for the start');
      this.#start.resolve();
    } else if (type === MessageType.result) this.#finish(payload);
  }

  #deliver(stream: Readable, payload: Buffer): void {
    if (this.#hasEnded || stream.push(payload)) return;
    this.#full.add(stream);
    this.#socket.pause();
  }

  #finish(payload: Buffer): void {
    if (this.#hasEnded) return;
    trace('command: waited for the result');
    const result = withStartFailure(parseResult(payload), this.#startFailure);
    const hint = this.#hints ? hintOf(payload) : undefined;
    if (result.error !== undefined && hint !== undefined) result.error.hint = hint;
    this.#hasEnded = true;
    if (result.error !== undefined && !this.#hasStarted) this.#start.reject(startError(result));
    else this.#start.resolve();
    this.stdout.push(null);
    this.stderr.push(null);
    this.#end.resolve(result);
    this.#socket.end();
  }

  #lost(error: A3sError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#start.reject(error);
    this.#end.reject(error);
    this.stdout.push(null);
    this.stderr.push(null);
  }
}

function hintOf(payload: Buffer): string | undefined {
  const error = parseObject(payload, 'result')['error'];
  if (typeof error !== 'object' || error === null || !('hint' in error)) return undefined;
  return typeof error.hint === 'string' ? guestText(error.hint) : undefined;
}

/** Why the process never ran: the product's own error, or the guest's word on the program. */
function startError(result: ProcessResult): A3sError {
  const { code, stage, message, hint } = result.error ?? { code: '', stage: '', message: 'unknown failure' };
  const details = { stage, exitStatus: result.exitCode, ...(hint === undefined ? {} : { hint }) };
  return new A3sError(isErrorCode(code) ? code : 'start_failed', message, details);
}
