/** Entry point of a box's monitor. Descriptor 3 is the connection to the command that starts the box. */
import { Socket } from 'node:net';

import { BoxMonitor } from './monitor/box-monitor.ts';
import { Client } from './monitor/client.ts';
import { note } from './monitor/monitor-log.ts';
import { parseLaunch } from './monitor/requests.ts';
import { trace } from '../trace.ts';

const LAUNCH_FD = 3;

trace('monitor: loaded');

// A terminal's Ctrl-C or a closed session ends commands, not boxes.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM', 'SIGQUIT'] as const) process.on(signal, () => {});

let monitor: BoxMonitor | undefined;
void new Client(new Socket({ fd: LAUNCH_FD }), {
  request: (payload, client) => {
    monitor = new BoxMonitor(parseLaunch(payload));
    monitor.run(client).then(
      () => process.exit(0),
      (error: unknown) => {
        note(error instanceof Error ? (error.stack ?? error.message) : String(error));
        process.exit(1);
      },
    );
  },
  message: (message, client) => monitor?.input(message, client),
  closed: (client) => {
    // Without a request there is no box to watch.
    if (monitor === undefined) process.exit(1);
    monitor.clientClosed(client);
  },
});
