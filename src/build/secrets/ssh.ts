/** `--ssh` (buildx, util/buildflags/ssh.go; BuildKit, session/sshforward/sshprovider). */

export interface SshSource {
  /** `default` when it was left out. */
  id: string;
  /** One socket, or key files; none: `SSH_AUTH_SOCK`. */
  paths: string[];
}

export declare function parseSsh(values: readonly string[]): SshSource[];

/** Agents that sign and list keys and do nothing else, each at a socket of its own. */
export interface SshAgents extends AsyncDisposable {
  /** Path of the socket on the host; undefined for an ID that was not given. */
  socket(id: string): string | undefined;
}

/**
 * @param options `tempDir`: the sockets are made there, mode 0600
 * @throws A3sError in BuildKit's words for a socket or a key that cannot be used
 */
export declare function openSshAgents(
  sources: readonly SshSource[],
  options: { tempDir: string; cwd: string; env: NodeJS.ProcessEnv },
): Promise<SshAgents>;
