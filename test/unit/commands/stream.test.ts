import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';

import type { ProcessResult, ProcessSession } from '../../../src/commands/attach/session.ts';
import { exitStatusOf, streamSession, type StreamOptions } from '../../../src/commands/attach/stream.ts';
import { A3sError } from '../../../src/errors.ts';
import { contextStub } from './context-stub.ts';

/** A process in a box whose every move the test makes. */
class FakeSession implements ProcessSession {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly start = Promise.withResolvers<void>();
  readonly end = Promise.withResolvers<ProcessResult>();
  readonly signals: number[] = [];
  detached = false;

  get started(): Promise<void> {
    return this.start.promise;
  }
  get result(): Promise<ProcessResult> {
    return this.end.promise;
  }
  resize(): void {}
  signal(number: number): void {
    this.signals.push(number);
  }
  detach(): void {
    this.detached = true;
  }
  finish(exitCode: number): void {
    this.stdout.end();
    this.stderr.end();
    this.end.resolve({ exitCode });
  }
}

const options: StreamOptions = {
  stdin: true,
  stdout: true,
  stderr: true,
  tty: false,
  sigProxy: true,
  detachKeys: 'ctrl-p,ctrl-q',
};

describe('streaming', () => {
  test('stdout and stderr arrive apart and whole before the end is told', async () => {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const session = new FakeSession();
    const out = Buffer.alloc(3_000_000, 'o');
    const ended = streamSession(contextStub({ stdout, stderr }), session, options);
    session.start.resolve();
    for (let at = 0; at < out.length; at += 50_000) session.stdout.write(out.subarray(at, at + 50_000));
    session.stderr.write('err');
    session.finish(3);
    let told = false;
    const end = ended.then((value) => {
      told = true;
      return value;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(told).toBe(false); // The reader has not read yet.
    const reading = buffer(stdout);
    expect(await end).toEqual({ how: 'ended', result: { exitCode: 3 } });
    stdout.end();
    stderr.end();
    expect((await reading).equals(out)).toBe(true);
    expect(String(await buffer(stderr))).toBe('err');
  });

  test.each(['stdout', 'stderr'] as const)(
    'a reader of %s that goes away keeps neither the process nor the command waiting',
    async (name) => {
      const reader = new PassThrough();
      reader.on('error', () => {});
      const session = new FakeSession();
      const ended = streamSession(contextStub({ [name]: reader }), session, options);
      session.start.resolve();
      const output = session[name];
      // More than fits while nobody reads: the copying is waiting for the reader when it goes.
      output.write(Buffer.alloc(200_000));
      await new Promise((resolve) => setImmediate(resolve));
      reader.destroy(new Error('EPIPE'));
      for (let count = 0; count < 10; count += 1) {
        if (!output.write(Buffer.alloc(100_000))) await once(output, 'drain');
      }
      session.finish(5);
      expect(await ended).toEqual({ how: 'ended', result: { exitCode: 5 } });
    },
  );

  test('stdin is passed on with its end', async () => {
    const stdin = new PassThrough();
    const session = new FakeSession();
    const ended = streamSession(contextStub({ stdin }), session, options);
    session.start.resolve();
    stdin.end(Buffer.alloc(300_000, 'i'));
    expect((await buffer(session.stdin)).length).toBe(300_000);
    session.finish(0);
    await ended;
  });

  test('stdin that is not asked for is not read, and the process finds it at its end', async () => {
    const stdin = new PassThrough();
    stdin.write('x');
    const session = new FakeSession();
    const ended = streamSession(contextStub({ stdin }), session, { ...options, stdin: false });
    session.start.resolve();
    expect((await buffer(session.stdin)).length).toBe(0);
    session.finish(0);
    await ended;
    expect(stdin.readableLength).toBe(1);
  });

  test('a process that does not read its stdin slows the reading, a closed one stops it', async () => {
    const stdin = new PassThrough();
    const session = new FakeSession();
    const ended = streamSession(contextStub({ stdin }), session, options);
    session.start.resolve();
    while (stdin.write(Buffer.alloc(16_384))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(session.stdin.writableLength).toBeLessThan(100_000);
    session.stdin.destroy(new Error('EPIPE'));
    session.finish(0);
    expect((await ended).how).toBe('ended');
  });

  test('a process that could not be started is the error it is', async () => {
    const session = new FakeSession();
    const ended = streamSession(contextStub(), session, options);
    session.start.reject(new A3sError('start_failed', 'no such program', { exitStatus: 127 }));
    await expect(ended).rejects.toThrow('no such program');
  });
});

describe('leaving', () => {
  test('the detach keys leave the process running; keys before them arrive', async () => {
    const stdin = new PassThrough();
    const session = new FakeSession();
    const ended = streamSession(contextStub({ stdin }), session, { ...options, tty: true });
    session.start.resolve();
    stdin.write('ls\x10\x11');
    expect(await ended).toEqual({ how: 'detached' });
    expect(session.detached).toBe(true);
    expect(String(session.stdin.read())).toBe('ls');
  });

  test('without a terminal they are bytes like others', async () => {
    const stdin = new PassThrough();
    const session = new FakeSession();
    const ended = streamSession(contextStub({ stdin }), session, options);
    session.start.resolve();
    stdin.end('\x10\x11');
    expect([...(await buffer(session.stdin))]).toEqual([16, 17]);
    session.finish(0);
    await ended;
  });

  test('signals go to the process until the command ends', async () => {
    const session = new FakeSession();
    const before = process.listenerCount('SIGUSR2');
    const ended = streamSession(contextStub(), session, options);
    session.start.resolve();
    process.emit('SIGUSR2', 'SIGUSR2');
    process.emit('SIGINT', 'SIGINT');
    session.finish(0);
    await ended;
    expect(session.signals).toEqual([12, 2]);
    expect(process.listenerCount('SIGUSR2')).toBe(before);
  });

  test('the third request to end is obeyed', async () => {
    const session = new FakeSession();
    const warnings: string[] = [];
    const context = contextStub({ warn: (line) => void warnings.push(line) });
    const ended = streamSession(context, session, options);
    session.start.resolve();
    for (let count = 0; count < 3; count += 1) process.emit('SIGINT', 'SIGINT');
    expect(await ended).toEqual({ how: 'left', exitStatus: 1 });
    expect(warnings).toEqual(['\ngot 3 SIGTERM/SIGINTs, forcefully exiting']);
    expect([session.signals, session.detached]).toEqual([[2, 2], true]);
  });

  test('without --sig-proxy a signal ends the command and not the process', async () => {
    const session = new FakeSession();
    const ended = streamSession(contextStub(), session, { ...options, sigProxy: false });
    session.start.resolve();
    process.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toEqual({ how: 'left', exitStatus: 143 });
    expect(session.signals).toEqual([]);
  });
});

describe('the exit status', () => {
  test("is the process's own", () => {
    expect(exitStatusOf({ exitCode: 137, signal: 9 })).toBe(137);
  });

  test('of a process that could not be started is an error with that status', () => {
    const error = { code: 'not_found', stage: 'exec', message: 'exec: "x": not found' };
    expect(() => exitStatusOf({ exitCode: 127, error })).toThrow(
      expect.objectContaining({ code: 'start_failed', exitStatus: 127, message: error.message }),
    );
  });
});
