/**
 * Every path under the state directory (`~/.a3s`, or `A3S_HOME`). Documented in docs/state-layout.md;
 * no other file spells a name of it.
 */
import { existsSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { A3sError } from '../errors.ts';

/** Longest path that fits `sockaddr_un.sun_path` with its NUL. */
const SOCKET_PATH_MAX = 107;
/** PROC_SUPER_MAGIC of linux/magic.h, as statfs(2) tells it. */
const PROC_MAGIC = 0x9fa0;

/** The state directory: absolute, from `A3S_HOME` or `~/.a3s`. */
export function stateHome(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['A3S_HOME'];
  return home === undefined || home === '' ? join(homedir(), '.a3s') : resolve(home);
}

/**
 * Looks whether the state directory is there or could be. Node's recursive mkdir never returns where the parent is there and still
 * says ENOENT, as in /proc.
 * @throws A3sError `host_setup`.
 */
export function checkHome(home: string): void {
  let there = home;
  while (!existsSync(there)) there = dirname(there);
  if (there === home || statfsSync(there).type !== PROC_MAGIC) return;
  throw new A3sError(
    'invalid_config',
    `the state directory ${home} cannot be made: it would lie in ${there}`,
    {
      hint: 'set A3S_HOME to another path',
    },
  );
}

export interface Layout {
  home: string;
  /** The box records. */
  boxesFile: string;
  /** Kernel-released lock that guards `boxesFile`. */
  boxesLock: string;
  /** What happened, a line an event. */
  eventsFile: string;
  /** One directory a box. */
  boxesDir: string;
  /** The OCI image layout and the root filesystems made from it. */
  imagesDir: string;
  rootfsDir: string;
  /** Blobs that are on their way into the store, whole or in part. */
  ingestDir: string;
  /** Which blobs running commands need though no image has them yet. */
  leasesDir: string;
  /** What builds have made, by what went into it; cache mounts. */
  buildCacheDir: string;
  /** Volumes: their data by name, what is known of them beside it. */
  volumesDir: string;
  /** What builds need while they run: a directory for each VM and whatever else ends with its process. */
  buildsDir: string;
  /** Warm boxes that wait for a `run`, and the socket of who keeps them. */
  poolDir: string;
  /** VM templates, a cache. */
  templatesDir: string;
  /** Locks of template and root filesystem builds. */
  locksDir: string;
  /** The accelerator verdict and other facts found by trial. */
  cacheDir: string;
  /** An empty directory, exported by share slots that a box does not use. */
  emptyShareDir: string;
}

export function layoutOf(home: string): Layout {
  const imagesDir = join(home, 'images');
  return {
    home,
    boxesFile: join(home, 'boxes.json'),
    boxesLock: join(home, 'boxes.lock'),
    eventsFile: join(home, 'events.jsonl'),
    boxesDir: join(home, 'boxes'),
    imagesDir,
    rootfsDir: join(imagesDir, 'rootfs'),
    ingestDir: join(imagesDir, 'ingest'),
    leasesDir: join(imagesDir, 'leases'),
    buildCacheDir: join(home, 'build-cache'),
    volumesDir: join(home, 'volumes'),
    buildsDir: join(home, 'builds'),
    poolDir: join(home, 'pool'),
    templatesDir: join(home, 'templates'),
    locksDir: join(home, 'locks'),
    cacheDir: join(home, 'cache'),
    emptyShareDir: join(home, 'cache', 'empty'),
  };
}

/** The directory of the box with this short ID. */
export function boxDirectory(layout: Layout, shortId: string): string {
  return join(layout.boxesDir, shortId);
}

/** Where the keeper of warm boxes listens. */
export function keeperSocket(layout: Pick<Layout, 'poolDir'>): string {
  return join(layout.poolDir, 'keeper.sock');
}

/** Taken by whoever starts or asks the keeper. */
export function keeperLock(layout: Pick<Layout, 'locksDir'>): string {
  return join(layout.locksDir, 'pool.lock');
}

export interface VolumePaths {
  /** What a box's VM sees of the volume: its data, and a copy of the image's files while the volume is being filled. */
  share: string;
  data: string;
  /** What is known of it; outside `share`, because a VM writes there. */
  record: string;
}

/** The files of the volume with this name, which starts with a letter or a digit. */
export function volumePaths(layout: Pick<Layout, 'volumesDir'>, name: string): VolumePaths {
  const share = join(layout.volumesDir, name);
  return {
    share,
    data: join(share, VOLUME_DATA),
    record: join(volumeRecordsDir(layout), `${name}.json`),
  };
}

/** Where the records of volumes are; no volume's name starts with a dot. */
export function volumeRecordsDir(layout: Pick<Layout, 'volumesDir'>): string {
  return join(layout.volumesDir, '.records');
}

export interface BuildCachePaths {
  /** One file a step: `<hash of its key>.json`. */
  steps: string;
  /** Small values by the hash of their keys. */
  memos: string;
  /** `RUN --mount=type=cache`: a directory each, what is known of it and who uses it beside it. */
  mounts: string;
  /** Which steps an image was made of: `<hex>.json`, by the image's ID. */
  images: string;
  /** Empty; its time is that of the last look at what has to go. */
  trimmed: string;
  /** Guards `mounts`. */
  mountsLock: string;
}

/** The parts of the build cache. */
export function buildCachePaths(layout: Pick<Layout, 'buildCacheDir' | 'locksDir'>): BuildCachePaths {
  const directory = layout.buildCacheDir;
  return {
    steps: join(directory, 'steps'),
    memos: join(directory, 'memos'),
    mounts: join(directory, 'mounts'),
    images: join(directory, 'images'),
    trimmed: join(directory, 'trimmed'),
    mountsLock: join(layout.locksDir, 'cache-mounts.lock'),
  };
}

/** A volume's directory within its share, a name that the agent knows. */
export const VOLUME_DATA = '_data';

/** The transfer disk of the VM with this directory. */
export function transferFile(vmDir: string): string {
  return join(vmDir, 'transfer');
}

export interface BoxPaths {
  dir: string;
  execSocket: string;
  agentSocket: string;
  controlSocket: string;
  /** Where a warm box waits for the command that takes it. */
  warmSocket: string;
  /** PID and start time of a warm box's monitor: the directory is no leftover, though no record knows it. */
  warmMark: string;
  /** The guest kernel's console. */
  consoleLog: string;
  /** The workload's output in Docker's json-file format. */
  jsonLog: string;
  /** The monitor's own words and QEMU's stderr. */
  monitorLog: string;
  /** The last results of the health check. */
  healthLog: string;
  /** What a paused box used when it was paused. */
  pausedUsage: string;
  /** The box's writable disk: a qcow2 overlay on the blank scratch disk or a template's. */
  scratch: string;
  /** By way of which archives cross. */
  transfer: string;
  /** Hard links to single files that are bind-mounted. */
  sharesDir: string;
}

/**
 * The files of one box.
 * @throws A3sError `invalid_config` when the state directory's path is too long for a unix socket.
 */
export function boxPaths(boxDir: string): BoxPaths {
  const paths: BoxPaths = {
    dir: boxDir,
    execSocket: join(boxDir, 'sockets', 'exec.sock'),
    agentSocket: join(boxDir, 'sockets', 'agent.sock'),
    controlSocket: join(boxDir, 'sockets', 'control.sock'),
    warmSocket: join(boxDir, 'sockets', 'warm.sock'),
    warmMark: join(boxDir, 'warm'),
    consoleLog: join(boxDir, 'console.log'),
    jsonLog: join(boxDir, 'workload-json.log'),
    monitorLog: join(boxDir, 'monitor.log'),
    healthLog: join(boxDir, 'health.json'),
    pausedUsage: join(boxDir, 'usage.json'),
    scratch: join(boxDir, 'scratch.qcow2'),
    transfer: transferFile(boxDir),
    sharesDir: join(boxDir, 'shares'),
  };
  const length = Buffer.byteLength(paths.controlSocket);
  if (length > SOCKET_PATH_MAX) {
    throw new A3sError(
      'invalid_config',
      `the state directory's path is too long: ${paths.controlSocket} has ${length} bytes, a unix socket's path at most ${SOCKET_PATH_MAX}`,
      { hint: 'set A3S_HOME to a shorter path' },
    );
  }
  return paths;
}
