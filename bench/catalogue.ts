/** Every measure by its name, in the order in which they run. `bench/pull.ts` has the one that needs a registry. */
import type { MeasureResult } from './result.ts';
import type { Setting } from './setting.ts';
import { build } from './measures/build.ts';
import { copy, logs } from './measures/bytes.ts';
import { flock, idleBoxes, startsPerSecond } from './measures/density.ts';
import { exec, execStreams } from './measures/exec.ts';
import { leaks } from './measures/leaks.ts';
import { lifecycle } from './measures/lifecycle.ts';
import { listing } from './measures/listing.ts';
import { coldCaches, detachedRun, firstRun, pooledRun, warmRun } from './measures/run.ts';

export interface Measure {
  name: string;
  title: string;
  take: (setting: Setting, rounds: number) => Promise<MeasureResult>;
}

export const catalogue: readonly Measure[] = [
  { name: 'run', title: 'A box that runs one command', take: warmRun },
  { name: 'pool', title: 'The same from a pool', take: pooledRun },
  { name: 'exec', title: 'A command in a running box', take: exec },
  { name: 'ps', title: 'A list of boxes', take: listing },
  { name: 'first', title: 'The first run of an image', take: firstRun },
  { name: 'detached', title: 'A box in the background', take: detachedRun },
  { name: 'lifecycle', title: 'Start, stop and removal', take: lifecycle },
  { name: 'streams', title: 'Bytes through a command', take: execStreams },
  { name: 'logs', title: 'Logs', take: logs },
  { name: 'cp', title: 'Copies', take: copy },
  { name: 'build', title: 'Builds', take: build },
  { name: 'flock', title: 'Fifty starts', take: flock },
  { name: 'concurrency', title: 'Starts per second', take: startsPerSecond },
  { name: 'idle', title: 'Idle boxes', take: idleBoxes },
  { name: 'reboot', title: 'After a reboot', take: coldCaches },
  { name: 'leaks', title: 'Five hundred boxes later', take: leaks },
];
