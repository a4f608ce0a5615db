/** The steps of a build as its events tell of them, for displays to draw. */
import type { BuildEvent, BuildWarning } from '../../../engine/build-types.ts';
import { escapeControls } from '../../../output/one-line.ts';

/** A line below a step: a file that is read, a layer that is written. */
export interface StepLine {
  label: string;
  /** Bytes; 0 when that is not what is counted. */
  current: number;
  total: number;
  /** Milliseconds since 1970: of the first news, of the last, and of the end. */
  started: number;
  told: number;
  ended: number | undefined;
}

export interface Step {
  name: string;
  started: number | undefined;
  ended: number | undefined;
  cached: boolean;
  /** Why it failed; empty when it did not. */
  failure: string;
  cancelled: boolean;
  lines: StepLine[];
  warnings: BuildWarning[];
}

/** The step that warnings about the Dockerfile belong to. */
const DEFINITION = '[internal] load build definition';

export class Steps {
  readonly #byId = new Map<number, Step>();
  readonly #warnings: BuildWarning[] = [];
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** In the order in which they were told. */
  get all(): Step[] {
    return [...this.#byId.values()];
  }

  get warnings(): readonly BuildWarning[] {
    return this.#warnings;
  }

  /** Takes an event in. Returns the step that it is about; undefined for what is about none. */
  apply(event: BuildEvent): Step | undefined {
    if (event.kind === 'warning') {
      this.#warnings.push(event.warning);
      const definition = this.all.find(({ name }) => name.startsWith(DEFINITION));
      definition?.warnings.push(event.warning);
      return definition;
    }
    const step = this.#step(event.id);
    switch (event.kind) {
      case 'step':
        step.name = escapeControls(event.name.replaceAll('\t', ' '));
        break;
      case 'started':
        step.started ??= event.time;
        break;
      case 'cached':
        step.cached = true;
        step.started ??= this.#now();
        step.ended ??= step.started;
        break;
      case 'output':
        step.started ??= event.time;
        break;
      case 'progress':
        step.started ??= event.time;
        tell(step, event);
        break;
      case 'done':
        end(step, event.time);
        break;
      case 'failed':
        end(step, event.time);
        step.failure = event.message;
        step.cancelled = event.cancelled;
        break;
      default:
        event satisfies never;
    }
    return step;
  }

  #step(id: number): Step {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const step: Step = {
      name: '',
      started: undefined,
      ended: undefined,
      cached: false,
      failure: '',
      cancelled: false,
      lines: [],
      warnings: [],
    };
    this.#byId.set(id, step);
    return step;
  }
}

function tell(step: Step, event: BuildEvent & { kind: 'progress' }): void {
  const known = step.lines.find(({ label }) => label === event.label);
  const line = known ?? {
    label: event.label,
    current: 0,
    total: 0,
    started: event.time,
    told: event.time,
    ended: undefined,
  };
  if (known === undefined) step.lines.push(line);
  line.current = event.current ?? line.current;
  line.total = event.total ?? line.total;
  line.told = event.time;
  if (event.done) line.ended = event.time;
}

function end(step: Step, time: number): void {
  step.started ??= time;
  step.ended ??= time;
}

/** `StageNameCasing: Stage name 'Build' should be lowercase (line 3)`. */
export function warningLine({ rule, message, lines: [first] }: BuildWarning): string {
  return first === undefined ? `${rule}: ${message}` : `${rule}: ${message} (line ${first[0]})`;
}
