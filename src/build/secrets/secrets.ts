/** `--secret` (buildx, util/buildflags/secrets.go; BuildKit, session/secrets/secretsprovider). */

/** Where a secret is; one of the two is there. */
export interface SecretSource {
  id: string;
  /** As it was given. */
  file?: string;
  /** The name of an environment variable. */
  variable?: string;
}

/** @throws A3sError `usage` in buildx's words */
export declare function parseSecrets(values: readonly string[]): SecretSource[];

export interface Secrets {
  has(id: string): boolean;
  /**
   * Read anew each time, as BuildKit does.
   * @returns undefined for an ID that was not given
   */
  read(id: string): Promise<Buffer | undefined>;
}

/** @throws A3sError for a file that is not there or larger than 500 kB, before the build begins */
export declare function openSecrets(
  sources: readonly SecretSource[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Secrets>;
