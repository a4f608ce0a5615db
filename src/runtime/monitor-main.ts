/** Entry point of a box's monitor. Descriptor 3 is the connection to the command that starts the box. */
import { Socket } from 'node:net';

import { BoxMonitor } from './monitor/box-monitor.ts';
import { Client } from './monitor/client.ts';
import { note, openMonitorLog } from './monitor/monitor-log.ts';
import { readRequest } from './monitor/read-request.ts';
import { parseLaunch } from './monitor/requests.ts';
import { boxPaths } from '../state/layout.ts';
import { trace } from '../trace.ts';

const LAUNCH_FD = 3;

trace('monitor: loaded');

// A terminal's Ctrl-C or a closed session ends commands, not boxes.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});

process.on('uncaughtException', crash);

const payload = readRequest(LAUNCH_FD);
// Without a request there is no box to watch: the command found something wrong.
if (payload === null) process.exit(1);
const request = parseLaunch(payload);
openMonitorLog(boxPaths(request.record.box_dir).monitorLog);
const box = new BoxMonitor(request);
process.on('SIGTERM', () => box.shutDown());
// However this process comes to its end, its VM does not outlive it; nor does it wait for what else is done then.
process.prependListener('exit', () => box.killVm());
const launcher = new Client(new Socket({ fd: LAUNCH_FD }), {
  message: (message, client) => box.message(message, client),
  closed: (client) => box.closed(client),
});
box.run(launcher).then(() => process.exit(0), crash);

/** A fault of ours: the next command finds the box without its monitor and sets the record right. */
function crash(error: unknown): void {
  note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
