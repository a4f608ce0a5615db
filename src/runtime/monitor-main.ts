/** The program of a box's monitor. Descriptor 3 is the connection to the command that starts the box. */
import { Socket } from 'node:net';

import { BoxMonitor } from './monitor/box-monitor.ts';
import { Client } from './monitor/client.ts';
import type { EarlyVm } from './monitor/early-vm.ts';
import { note, openMonitorLog } from './monitor/monitor-log.ts';
import { parseLaunch } from './monitor/requests.ts';
import { boxPaths } from '../state/layout.ts';
import { trace } from '../trace.ts';

const LAUNCH_FD = 3;

/**
 * Watches the box of the launch request `payload` to its end, then ends the process.
 * @param early the VM that the request plans, if it was started
 */
export function monitor(payload: Buffer | null, early: EarlyVm | null): void {
  trace('monitor: loaded');
  process.on('uncaughtException', crash);
  // Without a request there is no box to watch: the command found something wrong.
  if (payload === null) process.exit(1);
  const request = parseLaunch(payload);
  openMonitorLog(boxPaths(request.record.box_dir).monitorLog);
  const box = new BoxMonitor(request, early);
  process.on('SIGTERM', () => box.shutDown());
  // However this process comes to its end, its VM does not outlive it; nor does it wait for what else is done then.
  process.prependListener('exit', () => box.killVm());
  const launcher = new Client(new Socket({ fd: LAUNCH_FD }), {
    message: (message, client) => box.message(message, client),
    closed: (client) => box.closed(client),
  });
  box.run(launcher).then(() => process.exit(0), crash);
}

/** A fault of ours: the next command finds the box without its monitor and sets the record right. */
function crash(error: unknown): void {
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
