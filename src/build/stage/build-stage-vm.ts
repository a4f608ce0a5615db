/** A stage's VM once it is up: layers in, commands, layers out. */
import type { Writable } from 'node:stream';

import { A3sError } from '../../errors.ts';
import type { AgentLink } from '../../runtime/agent-link.ts';
import type { ProcessResult } from '../../runtime/process-session.ts';
import { exchange, type ExchangeOptions, type Exchanged } from './exchange.ts';
import { LayerTar } from './layer-tar.ts';
import { stepRequest } from './requests.ts';
import { SshForwarding } from './ssh.ts';
import type { BindMount, CacheShare, RunOutput, RunResult, RunStep, StageVm } from './types.ts';

/** A guest that says nothing for so long while files are on their way is stuck: a large one is written in far less. */
const IDLE_MS = 300_000;

export interface StageParts {
  link: AgentLink;
  /** Its transfer disk. */
  transfer: string;
  shares: readonly CacheShare[];
  /** Rejects when the VM is no more, with all that is known of why. */
  lost: Promise<never>;
  /** It is about to. */
  isLost: () => boolean;
  close: () => Promise<void>;
}

export class BuildStageVm implements StageVm {
  readonly #parts: StageParts;
  #last: Promise<unknown> = Promise.resolve();
  #broken: Error | undefined;
  #trees = 0;

  constructor(parts: StageParts) {
    this.#parts = parts;
  }

  addLayer(tar: AsyncIterable<Buffer>): Promise<void> {
    return this.#inTurn(() =>
      this.#ask({ op: 'stage_add' }, { input: tar, transfer: this.#parts.transfer, idleMs: IDLE_MS }),
    );
  }

  run(step: RunStep, output: RunOutput): Promise<RunResult> {
    return this.#inTurn(async () => {
      const trees: string[] = [];
      for (const mount of step.mounts) {
        if (mount.type === 'bind') trees.push(await this.#sendTree(mount));
      }
      let sockets: SshForwarding | undefined;
      const { link, shares } = this.#parts;
      try {
        const { result } = await this.#exchange(stepRequest(step, shares, trees), {
          input: contentsOf(step),
          started: () => (sockets = new SshForwarding(link, step.mounts)),
          stdout: (bytes) => output.stdout(bytes),
          stderr: (bytes) => output.stderr(bytes),
        });
        return resultOf(result);
      } finally {
        sockets?.end();
      }
    });
  }

  layer(sink: Writable, { maxMtime }: { maxMtime: number | null }): Promise<void> {
    return this.#inTurn(async () => {
      const layer = new LayerTar(sink, maxMtime);
      await this.#ask(
        { op: 'stage_layer', max_mtime: maxMtime },
        { stdout: (bytes) => layer.push(bytes), transfer: this.#parts.transfer, idleMs: IDLE_MS },
      );
      await layer.end();
    });
  }

  discard(): Promise<void> {
    return this.#inTurn(() => this.#ask({ op: 'stage_discard' }, { idleMs: IDLE_MS }));
  }

  close(): Promise<void> {
    return this.#parts.close();
  }

  async #sendTree(mount: BindMount): Promise<string> {
    this.#trees += 1;
    const name = `t${this.#trees}`;
    await this.#ask(
      { op: 'stage_tree', name },
      { input: mount.tar, transfer: this.#parts.transfer, idleMs: IDLE_MS },
    );
    return name;
  }

  /** A request that has to succeed. */
  async #ask(request: object, options: ExchangeOptions): Promise<void> {
    const { result, complaint } = await this.#exchange(request, options);
    if (result.error !== undefined) throw new A3sError('io', result.error.message);
    if (result.exitCode === 0) return;
    throw new A3sError('io', complaint === '' ? `the guest gave up (status ${result.exitCode})` : complaint);
  }

  async #exchange(request: object, options: ExchangeOptions): Promise<Exchanged> {
    const { link, lost, isLost } = this.#parts;
    const exchanged = exchange(link, request, options);
    exchanged.catch(() => {});
    try {
      return await Promise.race([exchanged, lost]);
    } catch (error) {
      // The stream tells first that the session is over, but not why.
      if (isLost()) await lost;
      throw error;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      if (this.#broken !== undefined) throw this.#broken;
      try {
        return await work();
      } catch (error) {
        this.#broken = error instanceof Error ? error : new Error(String(error));
        throw error;
      }
    });
    this.#last = done.catch(() => {});
    return done;
  }
}

/** What a step's process reads before it becomes the command: the files that are mounted, one after the other. */
async function* contentsOf(step: RunStep): AsyncGenerator<Buffer> {
  for (const mount of step.mounts) {
    if (mount.type === 'secret' || mount.type === 'script') yield mount.content;
  }
}

function resultOf({ exitCode, signal, oomKilled, error }: ProcessResult): RunResult {
  return {
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    ...(oomKilled === true ? { oomKilled } : {}),
    ...(error === undefined
      ? {}
      : { error: { code: error.code, stage: error.stage, message: error.message } }),
  };
}
