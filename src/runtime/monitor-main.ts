/**
 * The program of a box's monitor. LAUNCH_FD is the connection to the command that starts the box, or to the keeper that wants a
 * warm one.
 */
import { Socket } from 'node:net';

import { LAUNCH_FD } from './launch-fd.ts';
import { BoxMonitor } from './monitor/box-monitor.ts';
import { Client } from './monitor/client.ts';
import type { EarlyVm } from './monitor/early-vm.ts';
import { note, openMonitorLog } from './monitor/monitor-log.ts';
import { parseLaunch } from './monitor/requests.ts';
import { asksForWarmBox, parseWarmRequest } from './warm/request.ts';
import type { WarmBox } from './warm/warm-box.ts';
import { boxDirectory, boxPaths, layoutOf } from '../state/layout.ts';
import { trace, traceTo } from '../trace.ts';

/**
 * Watches the box of the request `payload` to its end, then ends the process.
 * @param early the VM that the request plans, if it was started
 */
export function monitor(payload: Buffer | null, early: EarlyVm | null): void {
  trace('monitor: Node and the program');
  process.on('uncaughtException', crash);
  // Without a request there is no box to watch: the command found something wrong.
  if (payload === null) process.exit(1);
  const life = asksForWarmBox(payload) ? waitForBox(payload) : runBox(payload, early);
  life.then(() => process.exit(0), crash);
}

function runBox(launch: Buffer, early: EarlyVm | null): Promise<void> {
  const request = parseLaunch(launch);
  openMonitorLog(boxPaths(request.record.box_dir).monitorLog);
  const box = new BoxMonitor(request, { early });
  watch(box);
  const launcher = new Client(new Socket({ fd: LAUNCH_FD }), {
    message: (message, client) => box.message(message, client),
    closed: (client) => box.closed(client),
  });
  return box.run(launcher);
}

async function waitForBox(request: Buffer): Promise<void> {
  const warm = parseWarmRequest(request);
  openMonitorLog(boxPaths(boxDirectory(layoutOf(warm.home), warm.shortId)).monitorLog);
  // No other monitor needs it.
  const { WarmBox } = await import('./warm/warm-box.ts');
  const box = new WarmBox(warm, new Socket({ fd: LAUNCH_FD }), (launch, vm) => {
    const request = parseLaunch(launch);
    // Of the command whose box it is now.
    traceTo(request.trace);
    return new BoxMonitor(request, { warm: vm });
  });
  watch(box);
  await box.live();
}

function watch(box: BoxMonitor | WarmBox): void {
  process.on('SIGTERM', () => box.shutDown());
  // However this process comes to its end, its VM does not outlive it; nor does it wait for what else is done then.
  process.prependListener('exit', () => box.killVm());
}

/** A fault of ours: the next command finds the box without its monitor and sets the record right. */
function crash(error: unknown): void {
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
