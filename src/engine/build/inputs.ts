/** What a build was asked for, read and checked before anything is done. */
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

import { parseNamedContexts } from '../../build/context/named-contexts.ts';
import type { ContextRequest, NamedContext, SourceOptions } from '../../build/context/types.ts';
import { proxyEnvironment } from '../../build/dockerfile/plan/global-arguments.ts';
import type { PlanOptions } from '../../build/dockerfile/plan/resolve-stages.ts';
import type { BuildSession, RunSettings } from '../../build/executor/session.ts';
import { type BuildOutput, buildOutputs } from '../../build/output/build-output.ts';
import { openSecrets, parseSecrets, type Secrets } from '../../build/secrets/secrets.ts';
import { openSshAgents, parseSsh, type SshAgents } from '../../build/secrets/ssh.ts';
import { hostPlatform, parsePlatform } from '../../images/platform.ts';
import { spoolName } from '../../images/store/leases.ts';
import type { BuildRequest } from '../build-types.ts';
import { memoryMiB } from '../limits.ts';
import type { Engine } from '../types.ts';

/** Asks for the keys of its steps in the image (BuildKit's frontend, build arguments). */
const INLINE_CACHE = 'BUILDKIT_INLINE_CACHE';
const KEEP_GIT = 'BUILDKIT_CONTEXT_KEEP_GIT_DIR';

export interface BuildInputs extends AsyncDisposable {
  contextRequest: ContextRequest;
  /** What progress calls the Dockerfile before it is found. */
  fileName: string;
  named: ReadonlyMap<string, NamedContext>;
  planOptions: Omit<PlanOptions, 'triggers'>;
  /** `--platform` was given. */
  platformAsked: boolean;
  outputs: readonly BuildOutput[];
  annotations: Readonly<Record<string, string>>;
  inlineCache: boolean;
  secrets: Secrets;
  ssh: SshAgents;
  run: RunSettings;
  machine: BuildSession['machine'];
  remote: SourceOptions;
  epoch: number | null;
}

/**
 * @throws A3sError `usage` for what is not as it should be
 */
export async function readInputs(
  engine: Engine,
  request: BuildRequest,
  signal: AbortSignal,
): Promise<BuildInputs> {
  const { env, buildArguments, tags, push, load } = request;
  const outputs = buildOutputs({
    outputs: request.outputs,
    push,
    load,
    tags,
    stdoutIsTerminal: request.stdout.isTTY === true,
  });
  const cwd = process.cwd();
  const named = await parseNamedContexts(request.contexts, cwd);
  const platform = request.platform === undefined ? hostPlatform() : parsePlatform(request.platform);
  const tempDir = join(engine.layout.ingestDir, spoolName());
  mkdirSync(tempDir, { recursive: true, mode: 0o700 });
  try {
    const secrets = await openSecrets(parseSecrets(request.secrets), { cwd, env });
    const ssh = await openSshAgents(parseSsh(request.ssh), { tempDir, cwd, env });
    return {
      contextRequest: { context: request.context, file: request.file, stdin: request.stdin },
      fileName: request.file === undefined || request.file === '-' ? 'Dockerfile' : basename(request.file),
      named,
      planOptions: {
        target: request.target,
        buildArguments,
        platform,
        buildPlatform: hostPlatform(),
        contexts: new Set(named.keys()),
      },
      platformAsked: request.platform !== undefined,
      outputs,
      annotations: Object.fromEntries(request.annotations),
      inlineCache: isTrue(buildArguments.get(INLINE_CACHE)),
      secrets,
      ssh,
      run: runSettings(request),
      machine: {
        cpus: request.cpus,
        memoryMb: memoryMiB(request.memoryBytes),
        dns: [],
        dnsSearch: [],
        dnsOptions: [],
      },
      remote: {
        tempDir,
        cwd,
        env,
        signal,
        keepGitDirectory: buildArguments.has(KEEP_GIT) ? isTrue(buildArguments.get(KEEP_GIT)) : undefined,
        commitTimes: request.sourceDateEpoch !== undefined,
        agentSocket: ssh.socket('default') ?? env['SSH_AUTH_SOCK'],
        secret: (id) => secrets.read(id),
      },
      epoch: request.sourceDateEpoch ?? null,
      [Symbol.asyncDispose]: async () => {
        await ssh[Symbol.asyncDispose]();
        rmSync(tempDir, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(tempDir, { recursive: true, force: true });
    throw error;
  }
}

function runSettings(request: BuildRequest): RunSettings {
  return {
    network: request.network,
    hosts: request.extraHosts.map(hostsLine),
    ulimits: request.ulimits.map(({ name, soft, hard }) => ({ name, soft: limit(soft), hard: limit(hard) })),
    shmBytes: request.shmBytes ?? null,
    proxies: proxyEnvironment(request.buildArguments),
  };
}

/** `name:address` as a line of /etc/hosts; an address may hold colons, a name may not. */
function hostsLine(entry: string): string {
  const colon = entry.indexOf(':');
  return `${entry.slice(colon + 1)}\t${entry.slice(0, colon)}`;
}

/** Docker's -1 is no limit. */
function limit(value: number): number | null {
  return value < 0 ? null : value;
}

/** Go's strconv.ParseBool, false for what is neither. */
function isTrue(text: string | undefined): boolean {
  return text !== undefined && ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text);
}
