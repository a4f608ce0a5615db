/** Taking a warm box: `run` uses it in place of a monitor of its own. */
import { connect, type Socket } from 'node:net';

import type { Rootfs } from '../../images/rootfs.ts';
import { fitnessOf } from '../../runtime/warm/fitness.ts';
import { TAKEN } from '../../runtime/warm/taken.ts';
import { newBoxIdFor } from '../../state/ids.ts';
import { boxDirectory, boxPaths, type Layout } from '../../state/layout.ts';
import { mayBeWarm, offersFor, withdrawOffer } from '../../state/warm-boxes.ts';
import { hasErrno } from '../../errors.ts';
import { trace } from '../../trace.ts';
import { memoryMiB } from '../limits.ts';
import type { ReservedBox } from '../reserve.ts';
import type { CreateOptions, Engine } from '../types.ts';
import type { MountRequest } from '../volumes/mount-request.ts';

/** A monitor that waits answers in a millisecond. A cold start takes less than waiting for one that does not. */
const ANSWER_MS = 1000;

/**
 * True when the box's VM is like any other of its image, memory and CPUs. Shares, forwarded ports and the network's name of the box
 * are part of a VM's making.
 */
export function fitsWarmBox(options: CreateOptions, mounts: readonly MountRequest[]): boolean {
  return (
    options.network === 'default' &&
    options.hostname === undefined &&
    options.ports.length === 0 &&
    !options.publishAll &&
    mounts.length === 0
  );
}

/** A warm box for these options, now this process's own; null when there is none. */
export async function takeWarmBox(
  engine: Engine,
  options: CreateOptions,
  mounts: readonly MountRequest[],
  rootfs: Rootfs,
): Promise<ReservedBox | null> {
  if (!mayBeWarm(engine.layout) || !fitsWarmBox(options, mounts)) return null;
  const kind = {
    cpus: options.cpus,
    memoryMb: memoryMiB(options.memoryBytes),
    rootfs: rootfs.digest,
  };
  const offers = offersFor(engine.layout, fitnessOf(kind, engine.bundleDir));
  // Commands that begin together do not all ask the same one.
  const first = Math.floor(Math.random() * offers.length);
  for (const shortId of [...offers.slice(first), ...offers.slice(0, first)]) {
    const monitor = await take(engine.layout, shortId);
    if (monitor === null) continue;
    trace('command: warm box taken');
    return { id: newBoxIdFor(shortId), monitor };
  }
  return null;
}

/** The connection to the warm box's monitor; null when another command was quicker, or it is gone. */
function take(layout: Layout, shortId: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(boxPaths(boxDirectory(layout, shortId)).warmSocket);
    const settle = (answer: Socket | null): void => {
      clearTimeout(timer);
      for (const event of ['error', 'close', 'readable'] as const) socket.removeAllListeners(event);
      // The box's session hears of what happens to the connection.
      socket.on('error', () => socket.destroy());
      if (answer === null) socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => settle(null), ANSWER_MS);
    socket.on('error', (error) => {
      // Nobody is there any more to take its offer back.
      if (hasErrno(error, 'ECONNREFUSED', 'ENOENT')) withdrawOffer(layout, shortId);
      settle(null);
    });
    socket.on('close', () => settle(null));
    socket.on('readable', () => {
      const answer: unknown = socket.read(TAKEN.length);
      if (answer === null) return;
      settle(Buffer.isBuffer(answer) && answer.toString('latin1') === TAKEN ? socket : null);
    });
  });
}
