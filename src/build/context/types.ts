/** What a build reads besides its Dockerfile's instructions: its context, and what other contexts and sources become. */
import type { Xattrs } from '../../images/layers/tar/entry.ts';

/** What the command line says about the main context. */
export interface ContextRequest {
  /** `-`, a directory, or a URL: of a git repository, an archive or a Dockerfile. */
  context: string;
  /** `--file` as it was given, `-` among it; undefined when it was not. */
  file: string | undefined;
  /** Read only when the context or the file is `-`. */
  stdin: AsyncIterable<Buffer | string>;
}

/** What every kind of source needs to be opened. */
export interface SourceOptions {
  /** A directory of the build's own, which is there. What a source puts there goes when the source is disposed. */
  tempDir: string;
  /** Where relative paths begin. */
  cwd: string;
  /** Proxies, certificates, and `PATH` for the programs that are run. */
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Keep `.git` of a repository (`BUILDKIT_CONTEXT_KEEP_GIT_DIR`). */
  keepGitDirectory?: boolean | undefined;
  /** Files of a repository get the time of its commit (`SOURCE_DATE_EPOCH`). */
  commitTimes?: boolean | undefined;
  /** For repositories over ssh; without it ssh uses no agent. */
  agentSocket?: string | undefined;
  /** `GIT_AUTH_TOKEN`, `HTTP_AUTH_HEADER_host` and their like, from `--secret`; undefined when there is none of the name. */
  secret?: ((id: string) => Promise<Buffer | undefined>) | undefined;
  /** Told how many bytes came so far. */
  received?: ((bytes: number) => void) | undefined;
}

/** What a file has that the host's file does not show: nobody but root can give files away, and a file without rights cannot be read. */
export interface EntryAttributes {
  /** Permissions with the set-ID and sticky bits, without the type. */
  mode: number;
  uid: number;
  gid: number;
  xattrs: Xattrs;
}

export type ContextKind = 'directory' | 'archive' | 'dockerfile' | 'git' | 'url';

/** A directory of the host to copy from, as long as it is not disposed. */
export interface OpenedSource extends AsyncDisposable {
  kind: ContextKind;
  /** Absolute. */
  directory: string;
  /**
   * What entries have instead of what the file in `directory` has, by path relative to it, one byte a character, without a slash at
   * the start. One that is not here is 0:0, with the permissions of the file. Empty for a directory of the user's.
   */
  attributes: ReadonlyMap<string, EntryAttributes>;
  /** From `.dockerignore`, normalised, for `IgnoreRules`; empty for all but directories of the user's, as in BuildKit. */
  ignorePatterns: string[];
  /** Bytes that came from elsewhere: the archive, the download. 0 for a directory. */
  transferred: number;
  /** The commit that was checked out; null for what is no repository. */
  commit: string | null;
  /** Of the commit, or what the server said of the download, in seconds since 1970; null when unknown. */
  modified: number | null;
}

export interface DockerfileText {
  /** As messages show it: `Dockerfile`, the base name of `--file`, its path in an archive or a repository. */
  name: string;
  text: Buffer;
}

export interface OpenedContext extends OpenedSource {
  dockerfile: DockerfileText;
  /** The name of the file that `ignorePatterns` are from, for messages; null when there is none. */
  ignoreFile: string | null;
}

/** A source from `--build-context name=value`, understood but not opened. */
export type NamedContext =
  /** Takes the place of an image; `scratch` is the empty one. */
  | { kind: 'image'; reference: string }
  /** `directory` is absolute; the image in it that this digest names. */
  | { kind: 'oci-layout'; directory: string; digest: string }
  | { kind: 'directory'; directory: string }
  | { kind: 'git'; url: string }
  /** One file, named `context`, which is not unpacked. */
  | { kind: 'url'; url: string };

/** A file for `ADD url`. */
export interface RemoteFile extends AsyncDisposable {
  /** On the host. */
  path: string;
  /** What it is called in the image, from the answer's Content-Disposition or the URL: one name, no slash; `download` when there is none. */
  name: string;
  size: number;
  /** `sha256:…` of the content. */
  digest: string;
  /** Last-Modified in seconds since 1970; null: the file gets 0. */
  mtime: number | null;
}

/** A commit for `ADD` of a repository, and for contexts. */
export interface GitCheckout extends AsyncDisposable {
  /** Of the subdirectory, if the URL names one; absolute. */
  directory: string;
  /** The full hash. */
  commit: string;
  /** When it was committed, in seconds since 1970. */
  committed: number;
}
