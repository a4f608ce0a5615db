/** One pool: as many warm boxes of an image and a machine as it was asked for, made one after the other. */
import { BackOff } from '../../runtime/monitor/back-off.ts';
import { openContext } from '../../runtime/templates/context.ts';
import { findImageTemplate } from '../../runtime/templates/ensure.ts';
import { warmShape } from '../../runtime/warm/fitness.ts';
import type { Engine } from '../types.ts';
import { Member, type MemberEnd } from './member.ts';
import { followSource, sourceOf, type Source } from './source.ts';
import type { PoolSpec, PoolStatus } from './spec.ts';

/** A box that was taken has the machine to itself for so long, before another one is made. */
const REFILL_MS = 300;

export class WarmPool {
  readonly #engine: Engine;
  readonly #backOff = new BackOff();
  readonly #members = new Set<Member>();
  #spec: PoolSpec;
  #source: Source;
  /** The seal of the template that the members were made from; null until one is ready. */
  #seal: string | null = null;
  #taken = 0;
  #usedAt = performance.now();
  #problem = '';
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  private constructor(engine: Engine, spec: PoolSpec, source: Source) {
    this.#engine = engine;
    this.#spec = spec;
    this.#source = source;
  }

  /** @throws A3sError `no_such_image`, `image_broken`. */
  static async start(engine: Engine, spec: PoolSpec): Promise<WarmPool> {
    const pool = new WarmPool(engine, spec, await sourceOf(engine, spec));
    pool.#refill(0);
    return pool;
  }

  get status(): PoolStatus {
    const members = this.#kept.map((member) => member.status);
    const idleMs = Math.round(performance.now() - this.#usedAt);
    return { ...this.#spec, members, taken: this.#taken, idleMs, problem: this.#problem };
  }

  /** Without those that are on their way out. */
  get #kept(): Member[] {
    return [...this.#members].filter(({ isReleased }) => !isReleased);
  }

  /** No box was taken for as long as the pool is to be kept. */
  get isIdle(): boolean {
    return this.#spec.ttlMs > 0 && performance.now() - this.#usedAt >= this.#spec.ttlMs;
  }

  /** True for the pool of the same image and machine. */
  isFor({ image, cpus, memoryMb }: PoolSpec): boolean {
    return image === this.#spec.image && cpus === this.#spec.cpus && memoryMb === this.#spec.memoryMb;
  }

  /** Another size or time to live. */
  change(spec: PoolSpec): void {
    this.#spec = spec;
    this.#usedAt = performance.now();
    // Whoever asks again wants it tried again.
    this.#problem = '';
    this.#backOff.reset();
    this.#trim();
    this.#refill(0);
  }

  /**
   * Looks whether the members are still what a `run` would make now, and lets go of them when they are not.
   * @throws A3sError when there is no such image any more.
   */
  async check(): Promise<void> {
    const source = await followSource(this.#engine, this.#spec, this.#source);
    const seal = this.#templateSeal(source);
    const outdated = this.#seal !== null && seal !== this.#seal;
    if (source.fitness === this.#source.fitness && !outdated) return;
    this.#source = source;
    this.#seal = null;
    for (const member of this.#members) member.release();
  }

  /** Ends the pool; resolves when every box that nobody has taken is gone. */
  async end(): Promise<void> {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const member of this.#members) member.release();
    await Promise.all([...this.#members].map((member) => member.ended));
  }

  #templateSeal({ rootfs }: Source): string | null {
    const found = findImageTemplate(openContext(this.#engine.layout), warmShape(this.#spec), rootfs.digest);
    return found?.template.seal ?? null;
  }

  #refill(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#over) return;
    this.#timer = setTimeout(() => this.#add(), afterMs);
  }

  /** One at a time: the boxes that run need the machine, too. */
  #add(): void {
    const isWarming = [...this.#members].some(({ status }) => status.state === 'warming');
    if (this.#over || isWarming || this.#members.size >= this.#spec.size) return;
    const { image, rootfs, fitness } = this.#source;
    const { cpus, memoryMb } = this.#spec;
    const [program = 'sh'] = [...image.config.entrypoint, ...image.config.cmd];
    const began = performance.now();
    const request = {
      home: this.#engine.layout.home,
      cpus,
      memoryMb,
      rootfs: rootfs.digest,
      rootfsPath: rootfs.path,
      fitness,
      commands: [program, 'sh'],
    };
    const member = new Member(request, () => {
      this.#problem = '';
      this.#backOff.reset();
      this.#seal ??= this.#templateSeal(this.#source);
      this.#trim();
      this.#refill(0);
    });
    this.#members.add(member);
    void member.ended.then((end) => this.#lose(member, end, performance.now() - began));
  }

  #lose(member: Member, end: MemberEnd, ageMs: number): void {
    this.#members.delete(member);
    if (end.kind === 'taken') {
      this.#taken += 1;
      this.#usedAt = performance.now();
      this.#refill(REFILL_MS);
      return;
    }
    if (end.kind === 'failed') this.#problem = end.reason;
    this.#refill(end.kind === 'failed' ? this.#backOff.next(ageMs) : 0);
  }

  #trim(): void {
    for (const member of this.#kept.slice(this.#spec.size)) member.release();
  }
}
