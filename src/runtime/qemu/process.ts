/** One QEMU process: spawned with its channels as inherited sockets, owned by the caller, always reaped. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';

import { A3sError } from '../../errors.ts';
import { Qmp } from './qmp.ts';
import { trace } from '../../trace.ts';

/** Where QEMU finds its file descriptors; the order of `stdio` below. */
export const QMP_FD = 3;
export const AGENT_FD = 4;
export const STATE_FD = 5;

const STDERR_KEPT = 8192;

export interface QemuExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The last of what QEMU said on stderr. */
  stderr: string;
}

export interface QemuProcess {
  readonly pid: number;
  readonly qmp: Qmp;
  /** The guest channel's host end. */
  readonly agent: Socket;
  /** Never rejects. */
  readonly exited: Promise<QemuExit>;
  /** Stops or continues the process: SIGSTOP, SIGCONT. */
  halt(on: boolean): void;
  /** SIGKILL; resolves once the process is reaped. */
  kill(): Promise<QemuExit>;
}

export interface QemuSpawn {
  binary: string;
  args: string[];
  /** Device state for a clone, inherited as `STATE_FD`. */
  stateFile?: string;
}

/**
 * Starts QEMU.
 * @throws A3sError `host_setup` when the program cannot be started.
 */
export function spawnQemu(options: QemuSpawn): QemuProcess {
  const stateFd = options.stateFile === undefined ? null : openSync(options.stateFile, 'r');
  let child: ChildProcess;
  try {
    child = spawn(options.binary, options.args, {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe', ...(stateFd === null ? [] : [stateFd])],
      cwd: '/',
      // Ctrl-C is for the command that waits, which then ends its VM: a terminal signals a whole process group.
      detached: true,
    });
  } finally {
    if (stateFd !== null) closeSync(stateFd);
  }
  trace('monitor: template, disk and QEMU');
  const exited = watchExit(child);
  const { pid } = child;
  if (pid === undefined) {
    throw new A3sError('host_setup', `cannot start ${options.binary}`, {
      hint: 'install the package qemu-system-x86 (see: a3s-box info)',
    });
  }
  const agent = channel(child, AGENT_FD);
  return {
    pid,
    qmp: new Qmp(channel(child, QMP_FD)),
    agent,
    exited,
    halt: (on) => void child.kill(on ? 'SIGSTOP' : 'SIGCONT'),
    kill: () => {
      child.kill('SIGKILL');
      return exited;
    },
  };
}

function watchExit(child: ChildProcess): Promise<QemuExit> {
  let stderr = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, stderr: error.message }));
    child.on('exit', (code, signal) => {
      // QEMU alone holds the pipe: its last words are there by the pipe's end.
      const settle = (): void => resolve({ code, signal, stderr });
      if (child.stderr === null || child.stderr.closed) settle();
      else child.stderr.once('close', settle);
    });
  });
}

function channel(child: ChildProcess, fd: number): Socket {
  const stream = child.stdio[fd];
  if (!(stream instanceof Socket)) throw new A3sError('io', 'QEMU was started without its channels');
  // A channel that breaks shows as QEMU's exit; the event must not end this process.
  stream.on('error', () => {});
  return stream;
}
