/** Starting a box: its monitor, detached from this process, and the connection to it. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

import { A3sError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';
import { boxPaths, type Layout } from '../state/layout.ts';
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

/**
 * Starts the box's monitor. It clones a VM, runs the workload, keeps the record (running, stopped, removed) and outlives
 * the caller. The record must stand in boxes.json as `starting` with the caller's PID.
 *
 * `started` rejects with `boot_failed`, `port_taken`, `host_setup`, `invalid_config`, or `start_failed` (with the exit
 * status 126 or 127); the record is then back to what it was, or gone with `--rm`. `result` comes after the record's last state.
 */
export function launchBox(layout: Layout, record: BoxRecord, options: LaunchOptions): ProcessSession {
  trace('launch: begin');
  const paths = boxPaths(record.box_dir);
  mkdirSync(paths.dir, { recursive: true, mode: 0o700 });
  const log = openSync(paths.monitorLog, 'a', 0o600);
  const child = spawn(process.execPath, [...monitorArguments(), record.box_dir], {
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    cwd: '/',
  });
  closeSync(log);
  trace('launch: monitor spawned');
  // A monitor that cannot be started shows as a closed connection.
  child.on('error', () => {});
  child.unref();
  const socket = child.stdio[LAUNCH_FD];
  if (!(socket instanceof Socket)) throw new A3sError('io', 'the monitor was started without a connection');
  const session = new MessageSession(socket);
  const { rootfs, ...attach } = options;
  socket.write(
    encodeJsonMessage(MessageType.request, { op: 'launch', home: layout.home, record, rootfs, ...attach }),
  );
  return session;
}

function monitorArguments(): string[] {
  return [join(packageRoot(), 'dist', 'monitor.cjs')];
}
