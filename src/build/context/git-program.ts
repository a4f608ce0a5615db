/** The `git` program, cut off from the user's settings, terminal and keys (BuildKit, util/gitutil/git_cli.go). */
import { spawn } from 'node:child_process';

import { A3sError, hasErrno } from '../../errors.ts';

/** Without a byte of output; git is asked to tell how far it is. */
const STALL_MS = 300_000;
const OUTPUT_KEPT = 4 * 1024 * 1024;
const STDERR_KEPT = 8192;
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'];
/** No key but what the agent has: a Dockerfile's author must not fetch with the user's own. */
const SSH =
  'ssh -F /dev/null -o BatchMode=yes -o IdentityFile=none -o StrictHostKeyChecking=accept-new -o ConnectTimeout=30 -o ServerAliveInterval=30';

export interface GitSettings {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  agentSocket: string | undefined;
  /** Settings for git, secrets among them: they travel in the environment, which only the user can read. */
  config: Readonly<Record<string, string>>;
}

/** What git said when it failed, in BuildKit's form. */
export class GitFailure extends A3sError {
  /** The end of what it wrote to stderr. */
  readonly complaint: string;

  constructor(complaint: string, status: string) {
    super('io', `git stderr:\n${complaint}: ${status}`);
    this.complaint = complaint;
  }
}

export class GitProgram {
  readonly #settings: GitSettings;

  constructor(settings: GitSettings) {
    this.#settings = settings;
  }

  /**
   * @param directory where it runs
   * @returns its output
   * @throws GitFailure; A3sError `host_setup` without git, `timeout`; the signal's reason
   */
  async run(directory: string, args: readonly string[]): Promise<string> {
    const { signal } = this.#settings;
    signal.throwIfAborted();
    // A session of its own: no terminal to ask on, and one kill ends its helpers as well.
    const child = spawn('git', args, {
      cwd: directory,
      env: environmentOf(this.#settings),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Promise<string>((resolve, reject) => {
      let [output, complaint] = ['', ''];
      let stalled = false;
      const end = (): void => killGroup(child.pid);
      const watchdog = setTimeout(() => {
        stalled = true;
        end();
      }, STALL_MS);
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        watchdog.refresh();
        if (output.length > OUTPUT_KEPT) end();
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        complaint = (complaint + text).slice(-STDERR_KEPT);
        watchdog.refresh();
      });
      signal.addEventListener('abort', end, { once: true });
      const settle = (work: () => void): void => {
        clearTimeout(watchdog);
        signal.removeEventListener('abort', end);
        work();
      };
      child.on('error', (error) => settle(() => reject(cannotRun(error))));
      child.on('close', (status, killedBy) =>
        settle(() => {
          if (status === 0) resolve(output);
          else if (signal.aborted) reject(signal.reason);
          else if (stalled) {
            reject(new A3sError('timeout', `git made no progress for ${STALL_MS / 1000} s`));
          } else {
            const how = killedBy === null ? `exit status ${status}` : `signal: ${killedBy}`;
            reject(new GitFailure(withoutProgress(complaint), how));
          }
        }),
      );
    });
  }
}

function environmentOf({ env, agentSocket, config }: GitSettings): NodeJS.ProcessEnv {
  const settings = Object.entries(config);
  return {
    PATH: env['PATH'],
    LC_ALL: 'C',
    HOME: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    // Neither a redirection nor a submodule leads to files of this host.
    GIT_ALLOW_PROTOCOL: 'http:https:ssh:git',
    GIT_SSH_COMMAND: SSH,
    ...(agentSocket === undefined ? {} : { SSH_AUTH_SOCK: agentSocket }),
    ...Object.fromEntries(
      PROXY_VARIABLES.flatMap((name) => [name, name.toUpperCase()])
        .filter((name) => env[name] !== undefined)
        .map((name) => [name, env[name]]),
    ),
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], n) => [
        [`GIT_CONFIG_KEY_${n}`, key],
        [`GIT_CONFIG_VALUE_${n}`, value],
      ]),
    ),
  };
}

/** Lines that git overwrites on a terminal are no part of a complaint. */
function withoutProgress(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.includes('\r'))
    .join('\n');
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

function cannotRun(cause: Error): A3sError {
  if (!hasErrno(cause, 'ENOENT')) return new A3sError('io', `cannot run git: ${cause.message}`, { cause });
  return new A3sError('host_setup', 'git is not installed, which repositories are fetched with', {
    hint: 'install it: apt-get install git',
    cause,
  });
}
