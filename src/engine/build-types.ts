/** What a build is asked for and what it answers. */
import type { Readable, Writable } from 'node:stream';

import type { Lines } from '../build/dockerfile/error.ts';
import { A3sError, type ErrorDetails } from '../errors.ts';
import type { Ulimit } from '../state/box-settings.ts';

export type { BuildEvent, BuildEvents, BuildWarning } from '../build/progress.ts';
export { excerpt } from '../build/dockerfile/excerpt.ts';

/** `build`: typed, validated in form; what is a text of its own syntax (outputs, secrets) is as the user wrote it. */
export interface BuildRequest {
  /** A directory, a URL, or `-` for `stdin`. */
  context: string;
  /** `-f`: a path, `-` for `stdin`; undefined for what the context has. */
  file: string | undefined;
  /** `--build-context`, as written: `name=` and a path, a URL, `docker-image://…` or `oci-layout://…`. */
  contexts: readonly string[];
  /** Undefined for the last stage. */
  target: string | undefined;
  /** As the user wrote it, `os/architecture[/variant]`; undefined for the host's. */
  platform: string | undefined;
  /** A name without a value has got the caller's; without one there it is left out. */
  buildArguments: ReadonlyMap<string, string>;
  labels: ReadonlyMap<string, string>;
  /** Of the manifest. */
  annotations: ReadonlyMap<string, string>;
  noCache: boolean;
  /** Names of stages whose steps are made anew. */
  noCacheFilter: readonly string[];
  /** Names of images whose layers may be used again. */
  cacheFrom: readonly string[];
  /** Images are pulled even if they are there. */
  pull: boolean;
  /** `--secret` and `--ssh`, as written. */
  secrets: readonly string[];
  ssh: readonly string[];

  /** For each RUN. */
  network: 'default' | 'none';
  /** `name:address`. */
  extraHosts: readonly string[];
  /** Undefined: Docker's default, 64 MiB. */
  shmBytes: number | undefined;
  ulimits: readonly Ulimit[];
  cpus: number;
  memoryBytes: number;

  /** Names for the image, as written. */
  tags: readonly string[];
  /** `-o`, as written; empty: the image goes into the store. */
  outputs: readonly string[];
  /** Shorthands for outputs. */
  push: boolean;
  load: boolean;
  /** Files to write when the build is done: its ID, facts about it. */
  iidFile: string | undefined;
  metadataFile: string | undefined;
  /** Seconds since 1970 for everything that is made; undefined: the present. */
  sourceDateEpoch: number | undefined;

  /** Where `-` is read from, and where an output to `-` goes. */
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean };
  /** What secrets, agents and proxies are taken from. */
  env: NodeJS.ProcessEnv;
  /** Aborted when the caller gives the build up. */
  signal: AbortSignal;
}

export interface BuildOutcome {
  /** `sha256:…` of the image's configuration; undefined when nothing was made but files. */
  imageId: string | undefined;
  /** What was built from: for findings in it. */
  dockerfile: Pick<BuildSource, 'file' | 'text'>;
}

/** Where in a Dockerfile a failure comes from. */
export interface BuildSource {
  /** As messages name it, `Dockerfile`. */
  file: string;
  text: string;
  lines: Lines;
}

/**
 * A build that failed: the message is BuildKit's, without `failed to solve: `. `exitStatus` is that of the command, where one failed.
 * Its last lines of output have been told as events.
 */
export class BuildError extends A3sError {
  readonly source: BuildSource | undefined;

  constructor(message: string, source?: BuildSource, details: ErrorDetails = {}) {
    super('build_failed', message, details);
    this.name = 'BuildError';
    this.source = source;
  }
}
