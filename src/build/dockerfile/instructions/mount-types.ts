/** `RUN --mount`: what a RUN sees besides the stage's files. */

/** One `key=value` of a flag; a null value: the key alone. `text` is both as they are written. */
export interface MountField {
  key: string;
  value: string | null;
  text: string;
}

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
export type CacheSharing = 'shared' | 'private' | 'locked';

/** Empty texts and undefined numbers are not given. */
export interface Mount {
  type: MountType;
  /** A stage by name, an image or a context; empty for the build context (bind) or an empty directory (cache). */
  from: string;
  source: string;
  /** Path in the stage. A secret without one and without `env` is `/run/secrets/<id>`. */
  target: string;
  readonly: boolean;
  /** tmpfs: bytes, 0 without limit. */
  size: number;
  /** Of the cache, the secret or the agent. */
  id: string;
  sharing: CacheSharing | '';
  /** secret, ssh: its absence is an error. */
  required: boolean;
  /** secret: name of the variable that gets it; undefined: it is a file only. */
  env: string | undefined;
  mode: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
}
