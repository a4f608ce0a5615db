/** One step in plain progress: what of it has been written and what has not. */
import { escapeControls } from '../../../output/one-line.ts';
import type { DisplayTarget } from './display.ts';
import { LineCutter, type LinePiece } from './log-lines.ts';
import { amount, seconds } from './numbers.ts';
import { type Step, type StepLine, warningLine } from './steps.ts';

/** A line with bytes is written again when it has got so much further, or after so long. */
const PART = 0.05;
const INTERVAL_MS = 5000;
/** A line that took no longer says no time. */
const SHORT_MS = 10;
/** About what is kept of a line that goes on. */
const LINE_MAX = 16 * 1024;
const LINE_FEED = Buffer.from('\n');

export class PlainStep {
  readonly step: Step;
  /** What the step's lines begin with; 0 until it is first written. */
  number = 0;
  /** How often its head has been written. */
  times = 0;
  readonly #cutter = new LineCutter();
  #pieces: LinePiece[] = [];
  /** The line on the screen goes on. */
  #open = false;
  /** What has been written of the last line: it is written again when another step's lines have come between. */
  #lineSoFar = Buffer.alloc(0);
  readonly #touched = new Set<string>();
  readonly #lastShown = new Map<string, { current: number; told: number }>();
  #warnings = 0;
  #news = 0;
  #since: number;

  constructor(step: Step, now: number) {
    this.step = step;
    this.#since = now;
  }

  /** Something happened. */
  news(now: number): void {
    if (this.#news === 0) this.#since = now;
    this.#news++;
  }

  /** News a millisecond since it was last left. */
  speed(now: number): number {
    return this.#news / Math.max(1, this.waited(now));
  }

  waited(now: number): number {
    return now - this.#since;
  }

  output(bytes: Buffer, time: number): LinePiece[] {
    const pieces = this.#cutter.cut(bytes, time - (this.step.started ?? time));
    this.#pieces.push(...pieces);
    return pieces;
  }

  /** The line with this label has changed. */
  touch(label: string): void {
    this.#touched.add(label);
  }

  writeNews(target: DisplayTarget): void {
    const changed = this.step.lines.filter(({ label }) => this.#touched.has(label));
    this.#touched.clear();
    for (const line of changed) if (this.#isWorthALine(line)) target.write(this.#below(lineText(line)));
    for (const warning of this.step.warnings.slice(this.#warnings)) {
      target.write(this.#below(`WARN: ${warningLine(warning)}`));
    }
    this.#warnings = this.step.warnings.length;
    for (const piece of this.#pieces) this.#writePiece(target, piece);
    this.#pieces = [];
  }

  /** What is written when another step's turn comes. */
  leave(): string {
    this.#news = 0;
    return this.#below('...');
  }

  /** The last line of a step that has ended. */
  last(): string {
    this.#news = 0;
    const { failure, cancelled, cached, started = 0, ended = 0 } = this.step;
    if (cancelled) return this.#below('CANCELED');
    if (failure !== '') return this.#below(`ERROR: ${failure}`);
    return this.#below(cached ? 'CACHED' : `DONE ${seconds(ended - started)}s`);
  }

  /** Ends a line that output has left open. */
  close(): string {
    const feed = this.#open ? '\n' : '';
    this.#open = false;
    return feed;
  }

  /** A line of its own, also where output has left one open. It names what others have named. */
  #below(text: string): string {
    return `${this.close()}#${this.number} ${escapeControls(text)}\n`;
  }

  #writePiece(target: DisplayTarget, { time, bytes, ends }: LinePiece): void {
    if (time !== undefined) this.#lineSoFar = Buffer.from(`${time} `);
    if (!this.#open) target.write(Buffer.concat([Buffer.from(`#${this.number} `), this.#lineSoFar]));
    target.write(ends ? Buffer.concat([bytes, LINE_FEED]) : bytes);
    if (this.#lineSoFar.length < LINE_MAX) this.#lineSoFar = Buffer.concat([this.#lineSoFar, bytes]);
    this.#open = !ends;
  }

  #isWorthALine(line: StepLine): boolean {
    const last = this.#lastShown.get(line.label);
    if (last !== undefined && line.ended === undefined) {
      const part = line.total > 0 ? (line.current - last.current) / line.total : 0;
      if (part < PART && line.told - last.told < INTERVAL_MS) return false;
    }
    this.#lastShown.set(line.label, { current: line.current, told: line.told });
    return true;
  }
}

function lineText({ label, current, total, started, told, ended }: StepLine): string {
  const size = amount(current, total);
  const took = (ended ?? told) - started;
  return [
    label,
    ...(size === '' ? [] : [size]),
    ...(took > SHORT_MS ? [`${seconds(took)}s`] : []),
    ...(ended === undefined ? [] : ['done']),
  ].join(' ');
}
