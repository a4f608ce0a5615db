/** A monitor of a box's own, detached from this process. */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { join } from 'node:path';

import { A3sError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';
import { processStart } from '../state/processes.ts';
import { trace, traceEnvironment } from '../trace.ts';

const LAUNCH_FD = 3;
/**
 * V8 would collect the garbage of a monitor that has nothing to do twice in its first twenty seconds, 450 ms of processor time for
 * 2 MiB. With a small young generation there is little to give back after a million lines of log either (20 MiB in place of 47). Other
 * switches of V8's that would do (`--no-memory-reducer-for-small-heaps`) make it reject the code that Node brings compiled: 20 ms.
 */
const V8_FLAGS = ['--no-memory-reducer', '--max-semi-space-size=1'];

export interface SpawnedMonitor {
  /** Over which `launchBox` hands it the box. */
  connection: Socket;
  /** False once it has been killed, however little of that this process has heard. */
  isAlive: () => boolean;
}

/**
 * Starts a monitor for the box in `boxDir`. It ends by itself when the connection is destroyed before it was handed the box. It
 * takes a fifth of a start to load, so callers begin with it and prepare the box meanwhile.
 */
export function spawnMonitor(boxDir: string): SpawnedMonitor {
  trace('command: Node and the first code');
  // Its arguments name the directory: reconciliation finds it by that. Node's own flags hold for it as well (see bin/a3s-box).
  const program = [...process.execArgv, ...V8_FLAGS, join(packageRoot(), 'dist', 'monitor.cjs')];
  const child = spawn(process.execPath, [...program, boxDir], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    cwd: '/',
    env: traceEnvironment(),
  });
  trace('command: monitor spawned');
  // A monitor that cannot be started shows as a closed connection.
  child.on('error', () => {});
  child.unref();
  const connection = child.stdio[LAUNCH_FD];
  if (!(connection instanceof Socket))
    throw new A3sError('io', 'the monitor was started without a connection');
  connection.on('error', () => connection.destroy());
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    connection,
    isAlive: () => child.pid !== undefined && !hasEnded() && processStart(child.pid) !== null,
  };
}
