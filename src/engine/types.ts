/** What commands hand to the engine: typed, already validated in form, with Docker's defaults applied. */
import type { Reserved } from './reserve.ts';
import type { Layout } from '../state/layout.ts';
import type { BoxSettings } from '../state/box-settings.ts';
import type { ExposedPort, HealthCheck, PortMapping, TmpfsMount } from '../state/record.ts';
import type { MountRequest } from './volumes/mount-request.ts';

export interface Engine {
  /** Made before the command line was read, for the first box that this process runs or starts. */
  reserved?: Reserved;
  layout: Layout;
  /** The guest bundle, which ships embedded images. */
  bundleDir: string;
  /** Where warnings and progress for a person go (stderr, through the command). */
  notify: (line: string) => void;
}

/** BoxConfig, the runtime's input, before the image's own configuration is laid under it. */
export interface CreateOptions {
  image: string;
  /** What the image must be for, `os/architecture[/variant]`; undefined for whatever it is. */
  platform: string | undefined;
  name: string | undefined;
  cpus: number;
  memoryBytes: number;
  env: string[];
  workingDir: string | undefined;
  user: string | undefined;
  /** Undefined keeps the image's; `[]` (from `--entrypoint ''`) clears it. */
  entrypoint: string[] | undefined;
  cmd: string[];
  hostname: string | undefined;
  labels: Record<string, string>;
  ports: PortMapping[];
  /** `--expose`; the image's come on top. */
  exposed: ExposedPort[];
  /** Publish every exposed port on a free port of the host. */
  publishAll: boolean;
  volumes: MountRequest[];
  tmpfs: TmpfsMount[];
  dns: string[];
  network: 'default' | 'none';
  tty: boolean;
  openStdin: boolean;
  autoRemove: boolean;
  init: boolean;
  readOnly: boolean;
  /** Undefined keeps the image's. */
  stopSignal: string | undefined;
  /** Seconds of grace that `stop` gives. */
  stopTimeout: number | undefined;
  /** As records have it. */
  restartPolicy: string;
  /** What the caller asks for; null keeps the image's. */
  healthcheck: HealthCheck | null;
  /** What differs from the default settings. */
  settings?: Partial<BoxSettings>;
}

export interface AttachOptions {
  /** Whether the caller reads stdout and stderr; without it the session only reports the start. */
  output: boolean;
  stdin: boolean;
  /** First window size, for a box with a terminal. */
  rows?: number;
  cols?: number;
}
