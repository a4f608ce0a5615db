/** Every measure by its name, in the order in which they run. */
import type { MeasureResult } from './result.ts';
import type { Setting } from './setting.ts';
import { build } from './measures/build.ts';
import { copy } from './measures/copy.ts';
import { flock, startsPerSecond } from './measures/density.ts';
import { exec, execStreams } from './measures/exec.ts';
import { withImages, withLayers, withRecords } from './measures/growth.ts';
import { idleBoxes } from './measures/idle.ts';
import { leaks } from './measures/leaks.ts';
import { lifecycle, twenty } from './measures/lifecycle.ts';
import { listing } from './measures/listing.ts';
import { logs } from './measures/logs.ts';
import { pooledRun } from './measures/pool.ts';
import { pull } from './measures/pull.ts';
import { coldCaches, detachedRun, firstRun, warmRun } from './measures/run.ts';

export interface Measure {
  name: string;
  title: string;
  take: (setting: Setting, rounds: number) => Promise<MeasureResult>;
  /** Taken only when it is asked for by its name. */
  onRequest?: boolean;
}

export const catalogue: readonly Measure[] = [
  { name: 'run', title: 'A box that runs one command', take: warmRun },
  { name: 'pool', title: 'The same from a pool', take: pooledRun },
  { name: 'exec', title: 'A command in a running box', take: exec },
  { name: 'ps', title: 'A list of boxes', take: listing },
  { name: 'first', title: 'The first run of an image', take: firstRun },
  { name: 'detached', title: 'A box in the background', take: detachedRun },
  { name: 'lifecycle', title: 'Start, stop and removal', take: lifecycle },
  { name: 'twenty', title: 'Twenty boxes in one command', take: twenty },
  { name: 'streams', title: 'Bytes through a command', take: execStreams },
  { name: 'logs', title: 'Logs', take: logs },
  { name: 'cp', title: 'Copies', take: copy },
  { name: 'build', title: 'Builds', take: build },
  { name: 'images', title: 'With more images', take: withImages },
  { name: 'layers', title: 'With more layers', take: withLayers },
  { name: 'records', title: 'With more stopped boxes', take: withRecords },
  { name: 'flock', title: 'Fifty starts', take: flock },
  { name: 'concurrency', title: 'Starts per second', take: startsPerSecond },
  { name: 'idle', title: 'Idle boxes', take: idleBoxes },
  { name: 'reboot', title: 'After a reboot', take: coldCaches },
  { name: 'leaks', title: 'Five hundred boxes later', take: leaks },
  // Its image is made from some hundred packages of the Debian archive.
  { name: 'pull', title: 'Pulls', take: pull, onRequest: true },
];
