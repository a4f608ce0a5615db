/** `--progress rawjson`: each piece of news as a line of JSON, in the form of BuildKit's client (client/graph.go, SolveStatus). */
import { createHash } from 'node:crypto';

import type { BuildEvent, BuildWarning } from '../../../engine/build-types.ts';
import type { BuildDisplay, DisplayTarget } from './display.ts';
import { type Step, Steps, warningLine } from './steps.ts';

const STREAMS = { stdout: 1, stderr: 2 } as const;
/** BuildKit's level of findings in a Dockerfile. */
const LEVEL = 1;

export class RawJsonDisplay implements BuildDisplay {
  readonly #target: DisplayTarget;
  readonly #steps = new Steps();
  readonly #digests = new Map<Step, string>();

  constructor(target: DisplayTarget) {
    this.#target = target;
  }

  event(event: BuildEvent): void {
    const step = this.#steps.apply(event);
    this.#target.write(`${JSON.stringify(this.#status(event, step))}\n`);
  }

  end(): void {}

  #status(event: BuildEvent, step: Step | undefined): unknown {
    if (event.kind === 'warning') return { warnings: [this.#warning(event.warning, step)] };
    if (step === undefined) return {};
    const vertex = this.#digest(step, event.id);
    if (event.kind === 'output') {
      const { stream, bytes, time } = event;
      const log = { vertex, stream: STREAMS[stream], data: bytes.toString('base64'), timestamp: when(time) };
      return { logs: [log] };
    }
    if (event.kind === 'progress') return { statuses: [status(vertex, event, step)] };
    return { vertexes: [vertexOf(vertex, step)] };
  }

  /** Steps have no digest of their own: that of their number and name tells them apart. */
  #digest(step: Step, id: number): string {
    const known = this.#digests.get(step);
    if (known !== undefined) return known;
    const digest = `sha256:${createHash('sha256').update(`${id} ${step.name}`).digest('hex')}`;
    this.#digests.set(step, digest);
    return digest;
  }

  #warning(warning: BuildWarning, step: Step | undefined): unknown {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    return {
      ...(step === undefined ? {} : { vertex: this.#digests.get(step) }),
      level: LEVEL,
      short: base64(warningLine(warning)),
      detail: [base64(warning.description)],
      url: warning.url,
      range: warning.lines.map(([first, last]) => ({ start: { line: first }, end: { line: last } })),
    };
  }
}

function vertexOf(digest: string, { name, started, ended, cached, failure }: Step): unknown {
  return {
    digest,
    name,
    ...(started === undefined ? {} : { started: when(started) }),
    ...(ended === undefined ? {} : { completed: when(ended) }),
    ...(cached ? { cached } : {}),
    ...(failure === '' ? {} : { error: failure }),
  };
}

function status(vertex: string, { label }: BuildEvent & { kind: 'progress' }, step: Step): unknown {
  const line = step.lines.find((each) => each.label === label);
  if (line === undefined) return {};
  return {
    id: label,
    vertex,
    ...(line.total === 0 ? {} : { total: line.total }),
    current: line.current,
    timestamp: when(line.told),
    started: when(line.started),
    ...(line.ended === undefined ? {} : { completed: when(line.ended) }),
  };
}

function when(time: number): string {
  return new Date(time).toISOString();
}
