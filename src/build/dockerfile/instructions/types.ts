/** The instructions of a Dockerfile, understood but not expanded: variables are still in their words. */
import type { Lines } from '../error.ts';
import type { Pair } from '../syntax/tree.ts';
import type { Mount, MountField } from './mount-types.ts';

export type Instruction =
  | Add
  | Arg
  | Cmd
  | Copy
  | Entrypoint
  | Env
  | Expose
  | Healthcheck
  | Label
  | Maintainer
  | Onbuild
  | Run
  | Shell
  | Stopsignal
  | User
  | Volume
  | Workdir;

/** What every instruction has. */
export interface Written {
  /** The whole instruction on one line, as it is written. */
  source: string;
  lines: Lines;
}

/** A command as RUN, CMD and ENTRYPOINT take it. */
export interface Command {
  /** True: `words` has one text, for the shell. False: the JSON form. */
  shell: boolean;
  words: string[];
}

/** A heredoc of RUN. */
export interface InlineDocument {
  name: string;
  /** With its tabs, even if `chomp`. */
  content: string;
  chomp: boolean;
}

export interface Run extends Written, Command {
  kind: 'run';
  documents: InlineDocument[];
  /** `--mount`, as it is written and as it is once variables are expanded (`evaluate`). */
  mountFields: MountField[][];
  mounts: Mount[];
  network: 'default' | 'none' | 'host';
  security: 'sandbox' | 'insecure';
}

/** A heredoc of COPY and ADD: a file that is in the Dockerfile. */
export interface InlineFile {
  name: string;
  content: string;
  /** Variables in the content are expanded. */
  expand: boolean;
}

/** What COPY and ADD have in common. Empty texts are flags that are not given. */
export interface Transfer extends Written {
  sources: string[];
  files: InlineFile[];
  destination: string;
  chown: string;
  chmod: string;
  link: boolean;
  /** Patterns as in `.dockerignore`, relative to each source. */
  exclude: string[];
}

export interface Copy extends Transfer {
  kind: 'copy';
  /** A stage by name or number, an image or a context; empty for the build context. */
  from: string;
  parents: boolean;
}

export interface Add extends Transfer {
  kind: 'add';
  checksum: string;
  /** Undefined when the flag is not given: what is right depends on the source. */
  keepGitDirectory: boolean | undefined;
  unpack: boolean | undefined;
}

export interface Arg extends Written {
  kind: 'arg';
  /** A null value: none is given. */
  arguments: { key: string; value: string | null; description: string }[];
}

export interface Env extends Written {
  kind: 'env';
  pairs: Pair[];
}

export interface Label extends Written {
  kind: 'label';
  pairs: Pair[];
}

export interface Cmd extends Written, Command {
  kind: 'cmd';
}

export interface Entrypoint extends Written, Command {
  kind: 'entrypoint';
}

export interface Expose extends Written {
  kind: 'expose';
  /** As written; once evaluated `80/tcp`, a range as each of its ports. */
  ports: string[];
}

/** Durations in nanoseconds; 0 is what the image's user gets by default. */
export interface Healthcheck extends Written {
  kind: 'healthcheck';
  /** `NONE`, or `CMD` and words, or `CMD-SHELL` and a text. */
  test: string[];
  interval: number;
  timeout: number;
  startPeriod: number;
  startInterval: number;
  retries: number;
}

export interface Maintainer extends Written {
  kind: 'maintainer';
  name: string;
}

export interface Onbuild extends Written {
  kind: 'onbuild';
  /** The instruction that waits, with its heredocs: what goes into the image's configuration. */
  expression: string;
}

export interface Shell extends Written {
  kind: 'shell';
  words: string[];
}

export interface Stopsignal extends Written {
  kind: 'stopsignal';
  signal: string;
}

export interface User extends Written {
  kind: 'user';
  name: string;
}

export interface Volume extends Written {
  kind: 'volume';
  paths: string[];
}

export interface Workdir extends Written {
  kind: 'workdir';
  path: string;
}

/** FROM: where a stage begins. */
export interface From extends Written {
  kind: 'from';
  base: string;
  /** In lower case; empty when the stage has none. */
  name: string;
  /** Empty when the flag is not given. */
  platform: string;
  /** From the comment above: `# name text`. */
  description: string;
}
