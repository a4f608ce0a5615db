/** Handing a box to the monitor that will run it. */
import type { Socket } from 'node:net';

import type { Layout } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { encodeRequest } from './protocol/request.ts';
import { MessageSession } from './message-session.ts';
import { planClone } from './plan-clone.ts';
import type { ProcessSession } from './process-session.ts';
import { trace, traceFile } from '../trace.ts';

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

/**
 * Hands the box to the monitor at the other end of `connection`. It clones a VM, runs the workload, keeps the record (running,
 * stopped, removed) and outlives the caller. The record must stand in boxes.json as `starting` with the caller's PID, and its
 * directory must exist.
 *
 * `started` rejects with `boot_failed`, `port_taken`, `host_setup`, `invalid_config`, or `start_failed` (with the exit
 * status 126 or 127); the record is then back to what it was, or gone with `--rm`. `result` comes after the record's last state.
 */
export function launchBox(
  connection: Socket,
  layout: Layout,
  record: BoxRecord,
  { rootfs, ...attach }: LaunchOptions,
): ProcessSession {
  const session = new MessageSession(connection);
  const clone = planClone(layout, record, rootfs);
  const request = { op: 'launch', home: layout.home, record, rootfs, clone, trace: traceFile(), ...attach };
  connection.write(encodeRequest(request));
  trace('command: box handed to its monitor');
  return session;
}
