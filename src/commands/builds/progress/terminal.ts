/**
 * Live progress on a terminal: a line for each step with its time, the last lines of output of those that run (BuildKit's
 * util/progress/progressui, ttyDisplay).
 */
import type { BuildEvent } from '../../../engine/build-types.ts';
import { LiveArea } from '../../../output/live-area.ts';
import { SmallScreen } from '../../../output/small-screen.ts';
import type { Colours } from './colours.ts';
import type { BuildDisplay, DisplayTarget } from './display.ts';
import { showFailedOutput } from './failed-output.ts';
import { frame, type OutputWindow } from './frame.ts';
import { LastLines, LineCutter } from './log-lines.ts';
import { type Step, Steps } from './steps.ts';

const FRAME_MS = 100;
/** Times go on while nothing else happens. */
const IDLE_MS = 150;
/** Of output that nobody saw whole, what is shown again when its step fails. */
const FAILED_LINES = 2000;
/** Columns left of the output of a step. */
const MARGIN = 10;

export interface TerminalOptions {
  /** What stands at the right end of the first line. */
  builder: string;
  colours: Colours;
  /** Lines of a step's output (`BUILDKIT_TTY_LOG_LINES`). */
  logLines: number;
}

interface StepOutput extends OutputWindow {
  screen: SmallScreen;
  cutter: LineCutter;
  last: LastLines;
}

export class TerminalDisplay implements BuildDisplay {
  readonly #target: DisplayTarget;
  readonly #area: LiveArea;
  readonly #options: TerminalOptions;
  readonly #now: () => number;
  readonly #steps: Steps;
  readonly #outputs = new Map<Step, StepOutput>();
  #drawn = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer draws. */
  #due = 0;

  constructor(target: DisplayTarget, options: TerminalOptions, now: () => number = Date.now) {
    this.#target = target;
    this.#area = new LiveArea(target);
    this.#options = options;
    this.#now = now;
    this.#steps = new Steps(now);
  }

  event(event: BuildEvent): void {
    const step = this.#steps.apply(event);
    if (step !== undefined && event.kind === 'output') this.#output(step, event);
    const wait = this.#drawn + FRAME_MS - this.#now();
    if (wait <= 0) this.#draw();
    else this.#after(wait);
  }

  end(): void {
    clearTimeout(this.#timer);
    if (this.#steps.all.length === 0) return;
    this.#area.draw(this.#frame(true));
    showFailedOutput(this.#target, this.#steps.all, (step) => this.#outputs.get(step)?.last);
  }

  #output(step: Step, event: BuildEvent & { kind: 'output' }): void {
    const output = this.#outputs.get(step) ?? this.#newOutput();
    this.#outputs.set(step, output);
    output.bytes += event.bytes.length;
    output.screen.resize(this.#area.columns - MARGIN);
    output.screen.write(event.bytes);
    for (const piece of output.cutter.cut(event.bytes, event.time - (step.started ?? event.time))) {
      output.last.add(piece);
    }
  }

  #newOutput(): StepOutput {
    const screen = new SmallScreen(this.#options.logLines, this.#area.columns - MARGIN);
    return {
      screen,
      cutter: new LineCutter(),
      last: new LastLines(FAILED_LINES),
      bytes: 0,
      shown: 0,
      lines: () => screen.lines,
    };
  }

  #draw(): void {
    this.#drawn = this.#now();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#area.draw(this.#frame(false));
    this.#after(IDLE_MS);
  }

  #after(milliseconds: number): void {
    const due = this.#now() + milliseconds;
    if (this.#timer !== undefined && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    // Drawing keeps no process alive.
    this.#timer = setTimeout(() => this.#draw(), milliseconds).unref();
  }

  #frame(whole: boolean) {
    const { columns, rows } = this.#area;
    const { builder, colours, logLines } = this.#options;
    return frame(this.#steps.all, {
      columns,
      rows,
      whole,
      now: this.#now(),
      builder,
      colours,
      logLines,
      windowOf: (step) => this.#outputs.get(step),
    });
  }
}
