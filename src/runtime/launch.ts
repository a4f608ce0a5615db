/** Starting a box: its monitor, detached from this process, and the connection to it. */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';

import { A3sError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';
import type { Layout } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { MessageType, encodeJsonMessage } from './protocol/messages.ts';
import { MessageSession } from './message-session.ts';
import type { ProcessSession } from './process-session.ts';
import { trace } from '../trace.ts';

export interface AttachOptions {
  /** The session reads the workload's output. */
  output: boolean;
  /** The session writes the workload's input; the input ends with the session. */
  stdin: boolean;
  rows?: number;
  cols?: number;
}

export interface LaunchOptions extends AttachOptions {
  /** The image's root filesystem, a squashfs. */
  rootfs: { path: string; digest: string };
}

const LAUNCH_FD = 3;

/** A monitor that waits for its box. It ends by itself when the connection closes before `launch`. */
export interface IdleMonitor {
  /**
   * Hands the box over. The monitor clones a VM, runs the workload, keeps the record (running, stopped, removed) and outlives
   * the caller. The record must stand in boxes.json as `starting` with the caller's PID, and its directory must exist.
   *
   * `started` rejects with `boot_failed`, `port_taken`, `host_setup`, `invalid_config`, or `start_failed` (with the exit
   * status 126 or 127); the record is then back to what it was, or gone with `--rm`. `result` comes after the record's last state.
   */
  launch(layout: Layout, record: BoxRecord, options: LaunchOptions): ProcessSession;
  /** Sends it away. */
  dismiss(): void;
}

/**
 * Starts a monitor for the box in `boxDir`, detached from this process. It takes a third of a start to load, so callers begin with
 * it and prepare the box meanwhile.
 */
export function spawnMonitor(boxDir: string): IdleMonitor {
  trace('launch: begin');
  // Its arguments name the directory: reconciliation finds it by that. Node's own flags hold for it as well (see bin/a3s-box).
  const program = [...process.execArgv, join(packageRoot(), 'dist', 'monitor.cjs')];
  const child = spawn(process.execPath, [...program, boxDir], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    cwd: '/',
  });
  trace('launch: monitor spawned');
  // A monitor that cannot be started shows as a closed connection.
  child.on('error', () => {});
  child.unref();
  const socket = child.stdio[LAUNCH_FD];
  if (!(socket instanceof Socket)) throw new A3sError('io', 'the monitor was started without a connection');
  socket.on('error', () => socket.destroy());
  return {
    launch: (layout, record, { rootfs, ...attach }) => {
      trace('launch: request');
      const session = new MessageSession(socket);
      const request = { op: 'launch', home: layout.home, record, rootfs, ...attach };
      socket.write(encodeJsonMessage(MessageType.request, request));
      return session;
    },
    dismiss: () => socket.destroy(),
  };
}
