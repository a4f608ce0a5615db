/** `--output` and its short forms (docker/buildx, util/buildflags and build/opt.go). */

export type BuildOutput =
  /** `push`: to the registries of its names as well; `store`: kept here under its names. */
  | { type: 'image'; names: string[]; push: boolean; store: boolean; insecure: boolean }
  /** An archive; `dest` is a file, `-` for stdout, or with `tar: false` a directory. */
  | { type: 'oci' | 'docker'; dest: string; names: string[]; tar: boolean }
  | { type: 'tar' | 'local'; dest: string }
  | { type: 'cacheonly' };

export interface OutputFlags {
  /** Values of `--output`, as given. */
  outputs: readonly string[];
  push: boolean;
  load: boolean;
  /** `-t`. */
  tags: readonly string[];
}

/**
 * What a build is to make: an image in the store when nothing is asked for.
 * @throws A3sError `usage` in buildx's words.
 */
export declare function buildOutputs(flags: OutputFlags): BuildOutput[];
