/** The VM of one stage: made when the first of its commands has to run. */
import { Writable } from 'node:stream';

import { A3sError } from '../../errors.ts';
import type { BuiltLayer } from '../cache/built-layer.ts';
import { readLayer, storeLayer } from '../cache/layers.ts';
import { type CacheMount, type CacheMountRequest, openCacheMount, withCacheMounts } from '../cache/mounts.ts';
import { openStageVm } from '../stage/open.ts';
import type { RunOutput, RunResult, RunStep, StageVm } from '../stage/types.ts';
import type { Base, Chain } from './chain.ts';
import type { BuildSession } from './session.ts';

/** As many directories of the host as a VM has room for. */
const MAX_CACHES = 16;

interface OpenCache {
  share: string;
  mount: CacheMount;
}

export class Machine implements AsyncDisposable {
  readonly #session: BuildSession;
  readonly #base: Base;
  readonly #foreseen: () => Promise<readonly CacheMountRequest[]>;
  readonly #caches = new Map<string, OpenCache>();
  #vm: StageVm | null = null;
  /** Layers of the stage's chain that the VM has. */
  #layers = 0;

  /** @param foreseen the caches that commands of the stage may ask for: a VM cannot be given one later */
  constructor(session: BuildSession, base: Base, foreseen: () => Promise<readonly CacheMountRequest[]>) {
    this.#session = session;
    this.#base = base;
    this.#foreseen = foreseen;
  }

  /** Memory and processors of the host are taken already: to let it go on costs less than another one. */
  get isUp(): boolean {
    return this.#vm !== null;
  }

  /**
   * Runs a command on the root that the chain is.
   * @param step made once the caches are there
   * @param caches those that the command uses
   * @returns how it ended, and if it succeeded what it has changed: null when that is nothing.
   */
  async run(
    chain: Chain,
    step: (shareOf: (cache: CacheMountRequest) => string) => RunStep,
    caches: readonly CacheMountRequest[],
    output: RunOutput,
  ): Promise<{ result: RunResult; layer: BuiltLayer | null }> {
    const { layout, lease, signal, epoch } = this.#session;
    const vm = await this.#open();
    for (const layer of chain.layers.slice(this.#layers)) {
      await vm.addLayer(readLayer(layout, layer));
      this.#layers += 1;
    }
    const used = caches.map((cache) => this.#cache(cache));
    const ready = step((cache) => this.#cache(cache).share);
    const mounts = used.map(({ mount }) => mount);
    const result = await withCacheMounts(layout, mounts, () => vm.run(ready, output), signal);
    if (result.exitCode !== 0 || result.error !== undefined) {
      await vm.discard();
      return { result, layer: null };
    }
    const layer = await storeLayer(
      layout,
      lease,
      (sink) => vm.layer(passingOn(sink), { maxMtime: epoch }),
      signal,
    );
    if (layer !== null) this.#layers += 1;
    return { result, layer };
  }

  async #open(): Promise<StageVm> {
    if (this.#vm !== null) return this.#vm;
    const { layout, machine, signal } = this.#session;
    const requests = new Map((await this.#foreseen()).map((request) => [keyOf(request), request]));
    if (requests.size > MAX_CACHES) {
      const message = `a stage may use at most ${MAX_CACHES} cache mounts, not ${requests.size}`;
      throw new A3sError('unsupported', message, {
        hint: 'divide the stage, or use one cache mount for several directories',
      });
    }
    for (const [key, request] of requests) {
      const mount = await openCacheMount(layout, request);
      this.#caches.set(key, { share: `cache${this.#caches.size}`, mount });
    }
    const shares = [...this.#caches.values()].map(({ share, mount }) => ({
      id: share,
      directory: mount.directory,
    }));
    const vm = await openStageVm(layout, { rootfs: this.#base.rootfs, shares, ...machine, signal });
    this.#vm = vm;
    return vm;
  }

  #cache(request: CacheMountRequest): OpenCache {
    const cache = this.#caches.get(keyOf(request));
    if (cache === undefined) throw new Error(`the cache mount ${request.id} was not foreseen`);
    return cache;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#vm?.close();
    for (const { mount } of this.#caches.values()) await mount[Symbol.asyncDispose]();
  }
}

/** Requests with the same key get the same directory. */
function keyOf({ id, sharing, initial }: CacheMountRequest): string {
  return JSON.stringify([id, sharing, initial?.digest ?? null]);
}

/** Hands everything on and leaves the sink open when it is ended. */
function passingOn(sink: Writable): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => void sink.write(chunk, done),
  });
}
