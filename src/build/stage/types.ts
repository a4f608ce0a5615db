/**
 * A stage's VM, as a build sees it: the root filesystem of the stage, on which RUN commands work one after the other. The root is
 * the base's squashfs with layers on top, each an OCI layer; what a command changes is the next one.
 */
import type { Writable } from 'node:stream';

import type { Rootfs } from '../../images/rootfs.ts';

export interface StageVmOptions {
  /** Of the base image; null for `FROM scratch`. */
  rootfs: Rootfs | null;
  /** Directories of the host that RUN mounts of type `cache` show; at most 16. */
  shares: readonly CacheShare[];
  cpus: number;
  memoryMb: number;
  /** Name servers; empty for the host's. */
  dns: readonly string[];
  dnsSearch: readonly string[];
  dnsOptions: readonly string[];
  /** Kills the VM; whatever is under way rejects with the signal's reason. */
  signal: AbortSignal;
}

/** A cache mount's files on the host. They keep the owners and modes that commands give them. */
export interface CacheShare {
  /** Any word; `CacheMount.share` names it. */
  id: string;
  /** An existing directory of the host. */
  directory: string;
}

/** One RUN. */
export interface RunStep {
  args: readonly string[];
  /** `K=V`; PATH, HOSTNAME and HOME are added where they are missing. */
  env: readonly string[];
  /** Absolute; made, with the user as its owner, when it is missing. */
  cwd: string;
  /** `name`, `uid`, `name:group`, `uid:gid`; empty for root. */
  user: string;
  /** `none`: a network namespace of its own, with nothing but a loopback. */
  network: 'default' | 'none';
  /** `buildkitsandbox` unless given. */
  hostname?: string;
  /** In the order in which they are made: one below another comes after it. */
  mounts: readonly RunMount[];
  /** Lines for /etc/hosts, `address<tab>name`. */
  hosts: readonly string[];
  /** Null for no limit. */
  ulimits: readonly { name: string; soft: number | null; hard: number | null }[];
  /** Size of /dev/shm; null for 64 MiB. */
  shmBytes: number | null;
}

/** Targets are absolute. What is made only to be mounted on is never part of the layer. */
export type RunMount = TmpfsMount | BindMount | CacheMount | FileMount | SshMount;

export interface TmpfsMount {
  type: 'tmpfs';
  target: string;
  /** Null for half of the memory. */
  sizeBytes: number | null;
}

/** Files of a context, an image or a stage. */
export interface BindMount {
  type: 'bind';
  target: string;
  /** False: the command may write, and what it writes is thrown away. */
  readOnly: boolean;
  /** The tree as a tar, uncompressed; its names are relative to the target. */
  tar: AsyncIterable<Buffer>;
  /** The name of the one member that is mounted, when the mount is of a file. */
  single: string | null;
}

export interface CacheMount {
  type: 'cache';
  target: string;
  readOnly: boolean;
  /** `CacheShare.id`. */
  share: string;
  /** What an empty directory gets. */
  mode: number;
  uid: number;
  gid: number;
}

/** One file whose content never touches a disk: a secret, or the script of a heredoc. Read-only. */
export interface FileMount {
  type: 'secret' | 'script';
  target: string;
  content: Buffer;
  mode: number;
  uid: number;
  gid: number;
}

/** A socket in the guest whose connections are joined with the host's agent. */
export interface SshMount {
  type: 'ssh';
  target: string;
  mode: number;
  uid: number;
  gid: number;
  /** Path of the unix socket on the host. */
  agentSocket: string;
}

/** How a RUN ended. A command that failed is a result; an error of the VM rejects. */
export interface RunResult {
  /** 0–255; 128+signal for a command killed by a signal. */
  exitCode: number;
  signal?: number;
  /** The VM ran out of the memory that the command may have. */
  oomKilled?: boolean;
  /** Set when the command could not be started, in runc's words; `exitCode` is then 125, 126 or 127. */
  error?: { code: string; stage: string; message: string };
}

export interface RunOutput {
  /** The bytes are the receiver's only until it returns. A promise holds the command up until it settles. */
  stdout(bytes: Buffer): void | Promise<void>;
  stderr(bytes: Buffer): void | Promise<void>;
}

/**
 * Calls come one after the other: each waits for the one before. After a rejection only `close` is left. Everything rejects with A3sError
 * `guest_protocol` when the VM is lost, `io` when a layer cannot be read or written, or with the reason of the signal.
 */
export interface StageVm {
  /**
   * Puts an OCI layer, uncompressed, on top of the root as it is.
   * @throws A3sError `io` with the guest's words for a tar that is not sound.
   */
  addLayer(tar: AsyncIterable<Buffer>): Promise<void>;
  /** Runs a command; `layer` or `discard` must follow before the next `addLayer` or `run`. */
  run(step: RunStep, output: RunOutput): Promise<RunResult>;
  /**
   * The changes of the last run as an OCI layer, an uncompressed tar, written to `sink`, which is ended. They belong to the root from then on.
   * An archive without entries: nothing has changed.
   * @param options.maxMtime seconds since 1970: later times become this one (SOURCE_DATE_EPOCH)
   */
  layer(sink: Writable, options: { maxMtime: number | null }): Promise<void>;
  /** Forgets the changes of the last run. */
  discard(): Promise<void>;
  /** Ends the VM and removes its files. */
  close(): Promise<void>;
}
