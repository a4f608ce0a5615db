/**
 * Plain progress, for files and people who read logs: each step's lines together, as far as steps that run at once allow
 * (BuildKit's util/progress/progressui, textMux). News are written at most ten times a second, so that short steps stay whole.
 */
import type { BuildEvent } from '../../../engine/build-types.ts';
import type { BuildDisplay, DisplayTarget } from './display.ts';
import { showFailedOutput } from './failed-output.ts';
import { LastLines } from './log-lines.ts';
import { PlainStep } from './plain-step.ts';
import { type Step, Steps } from './steps.ts';

const INTERVAL_MS = 100;
/** After this long a step that waits is shown, whatever the current one does. */
const WAIT_MAX_MS = 10_000;
/** A current step that writes all there is stays current for this long, another one in proportion. */
const STAY_MS = 5000;
/** What a failed step wrote last is shown again at the end. */
const FAILED_LINES = 10;

export class PlainDisplay implements BuildDisplay {
  readonly #target: DisplayTarget;
  readonly #description: string;
  readonly #now: () => number;
  readonly #steps: Steps;
  readonly #shown = new Map<Step, PlainStep>();
  readonly #outputs = new Map<Step, LastLines>();
  readonly #changed = new Set<PlainStep>();
  #current: PlainStep | undefined;
  #numbers = 0;
  #written = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** @param description the line above the first step, about the builder; empty for none */
  constructor(target: DisplayTarget, description: string, now: () => number = Date.now) {
    this.#target = target;
    this.#now = now;
    this.#steps = new Steps(now);
    this.#description = description;
  }

  event(event: BuildEvent): void {
    const step = this.#steps.apply(event);
    if (step === undefined || step.started === undefined) return;
    const plain = this.#plain(step);
    plain.news(this.#now());
    if (event.kind === 'output') this.#output(step, plain, event);
    if (event.kind === 'progress') plain.touch(event.label);
    // As in BuildKit a warning alone does not bring its step up again.
    if (event.kind !== 'warning') this.#changed.add(plain);
    this.#schedule();
  }

  end(): void {
    this.#write();
    if (this.#current !== undefined) this.#target.write(this.#current.close());
    showFailedOutput(this.#target, this.#steps.all, (step) => this.#outputs.get(step));
  }

  #plain(step: Step): PlainStep {
    const known = this.#shown.get(step);
    if (known !== undefined) return known;
    const made = new PlainStep(step, this.#now());
    this.#shown.set(step, made);
    return made;
  }

  #output(step: Step, plain: PlainStep, event: BuildEvent & { kind: 'output' }): void {
    const kept = this.#outputs.get(step) ?? new LastLines(FAILED_LINES);
    this.#outputs.set(step, kept);
    for (const piece of plain.output(event.bytes, event.time)) kept.add(piece);
  }

  #schedule(): void {
    const wait = this.#written + INTERVAL_MS - this.#now();
    if (wait <= 0) this.#write();
    // The end writes what is left; nothing waits for this.
    else this.#timer ??= setTimeout(() => this.#write(), wait).unref();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#written = this.#now();
    const current = this.#current;
    const changed = [...this.#changed];
    const ended = changed.filter(({ step }) => step.ended !== undefined).toSorted(byEnd);
    const running = changed.filter(({ step }) => step.ended === undefined);
    if (current !== undefined && ended.includes(current)) this.#print(current);
    for (const each of ended) if (each !== current) this.#print(each);
    if (running.length > 0) this.#printOneOf(running, current, ended);
    else if (current === undefined || current.step.ended !== undefined) {
      const open = [...this.#shown.values()].find(({ step }) => step.ended === undefined);
      if (open !== undefined) this.#print(open);
    }
  }

  /** Of steps that run: the current one goes on, unless it is another one's turn. */
  #printOneOf(
    running: readonly PlainStep[],
    current: PlainStep | undefined,
    ended: readonly PlainStep[],
  ): void {
    if (current !== undefined && running.includes(current)) this.#print(current);
    const now = this.#now();
    const wanting = new Set(running);
    if (current !== undefined && !ended.includes(current)) wanting.add(current);
    let busiest: PlainStep | undefined;
    let sum = 0;
    for (const step of wanting) {
      sum += step.speed(now);
      if (busiest === undefined || step.speed(now) > busiest.speed(now)) busiest = step;
    }
    if (busiest === undefined) return;
    if (current === undefined || ended.includes(current)) return this.#print(busiest);
    const late = [...wanting].find((step) => step !== current && step.waited(now) > WAIT_MAX_MS);
    if (late !== undefined) return this.#print(late);
    const share = sum === 0 ? 0 : current.speed(now) / sum;
    if (STAY_MS / (1 - share) < current.waited(now)) this.#print(busiest);
  }

  #print(plain: PlainStep): void {
    if (plain.number === 0) {
      this.#numbers++;
      plain.number = this.#numbers;
    }
    if (plain !== this.#current) {
      if (this.#current !== undefined) this.#target.write(this.#current.leave());
      if (this.#numbers > 1 || plain.times > 0) this.#target.write('\n');
      else if (this.#description !== '') this.#target.write(`#0 ${this.#description}\n\n`);
      this.#target.write(`#${plain.number} ${plain.step.name}\n`);
      plain.times++;
    }
    plain.writeNews(this.#target);
    this.#changed.delete(plain);
    this.#current = plain;
    if (plain.step.ended === undefined) return;
    this.#target.write(plain.last());
    this.#current = undefined;
  }
}

function byEnd(one: PlainStep, other: PlainStep): number {
  return (one.step.ended ?? 0) - (other.step.ended ?? 0);
}
