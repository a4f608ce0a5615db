/**
 * Where the time of a command goes: `A3S_BOX_TRACE=FILE` collects spans from every process of ours, in the format of Chrome's traces
 * (Trace Event Format, JSON array), which Perfetto and chrome://tracing show. docs/performance.md has the recipe.
 */
import { appendFileSync, openSync, closeSync, writeSync } from 'node:fs';
import { basename } from 'node:path';

const US_PER_MS = 1000;
const NS_PER_US = 1000;

interface State {
  file: string;
  /** Where the next span begins: with the process itself, before any code of ours. */
  since: number | undefined;
}

const KEY: unique symbol = Symbol.for('a3s-box.trace');

/** One for the process: the command's starter and its program are bundles of their own, each with this module in it. */
const state = shared();

/** Where this process traces to; empty for nowhere. */
export function traceFile(): string {
  return state.file;
}

/** Traces to another file from now on: what has happened before is not of the trace. */
export function traceTo(path: string): void {
  if (path === state.file) return;
  state.file = path;
  state.since = path === '' ? undefined : now();
  if (path !== '') name();
}

/**
 * A milestone: everything since the last one of this process, the first time since it was started, is a span that bears its name.
 * Nothing when tracing is off.
 */
export function trace(event: string): void {
  if (state.file === '') return;
  const end = now();
  if (state.since === undefined) {
    state.since = end - performance.now() * US_PER_MS;
    name();
  }
  write({ name: event, ph: 'X', ts: state.since, dur: end - state.since });
  state.since = end;
}

function shared(): State {
  const holder: typeof globalThis & { [KEY]?: State } = globalThis;
  return (holder[KEY] ??= { file: process.env['A3S_BOX_TRACE'] ?? '', since: undefined });
}

/** Microseconds of the kernel's monotonic clock, which all processes share. */
function now(): number {
  return Number(process.hrtime.bigint()) / NS_PER_US;
}

/** What the viewer calls this process. */
function name(): void {
  const script = process.argv[1] === undefined ? 'node' : basename(process.argv[1], '.cjs');
  const verb = script === 'cli' ? ` ${process.argv[2] ?? ''}` : '';
  write({ name: 'process_name', ph: 'M', args: { name: `${script}${verb}` } });
}

/** One append a line, so that processes do not mix theirs. The format lets the list stay open. */
function write(event: object): void {
  begin();
  appendFileSync(state.file, `${JSON.stringify({ ...event, pid: process.pid, tid: process.pid })},\n`);
}

function begin(): void {
  try {
    const descriptor = openSync(state.file, 'wx', 0o600);
    writeSync(descriptor, '[\n');
    closeSync(descriptor);
  } catch {
    // There already; a place that cannot be written to is told by the append.
  }
}
