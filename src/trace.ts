/**
 * Where the time of a command goes: `A3S_BOX_TRACE=FILE` collects spans from every process of ours, in the format of Chrome's traces
 * (Trace Event Format, JSON array), which Perfetto and chrome://tracing show. docs/performance.md has the recipe.
 *
 * Nothing here throws or waits: it is called between a VM's start and its owner, and in monitors, whose end is their box's.
 */
import { appendFileSync, closeSync, constants, openSync } from 'node:fs';
import { basename, resolve } from 'node:path';

const US_PER_MS = 1000;
const NS_PER_US = 1000;

/** A pipe that nobody reads is an error at once. */
const CREATE = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK | constants.O_CREAT;

interface State {
  /** Absolute: processes of ours run in other directories. Empty for nowhere. */
  file: string;
  /** What kept the trace from being written, until it is told; empty for nothing. */
  failure: string;
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

/** The environment of a process of ours that is to trace where this one does. */
export function traceEnvironment(): NodeJS.ProcessEnv {
  return (process.env['A3S_BOX_TRACE'] ?? '') === state.file
    ? process.env
    : { ...process.env, A3S_BOX_TRACE: state.file };
}

/** Why this process traces no more although it was asked to, the first time that somebody wants to know; empty for no reason. */
export function takeTraceFailure(): string {
  const { failure } = state;
  state.failure = '';
  return failure;
}

/** Traces to another file, named by its whole path, from now on: what has happened before is not of the trace. */
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
  return (holder[KEY] ??= asked(process.env['A3S_BOX_TRACE'] ?? ''));
}

function asked(path: string): State {
  const state: State = { file: '', failure: '', since: undefined };
  try {
    if (path !== '') state.file = resolve(path);
  } catch (error) {
    // The directory that a relative path is meant from is gone.
    state.failure = reason(error);
  }
  return state;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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
  if (state.file === '') return;
  begin();
  try {
    append(`${JSON.stringify({ ...event, pid: process.pid, tid: process.pid })},\n`, CREATE);
  } catch (error) {
    // What is measured goes on: it matters more than the measure.
    state.failure = reason(error);
    state.file = '';
  }
}

function begin(): void {
  try {
    append('[\n', CREATE | constants.O_EXCL);
  } catch {
    // There already; a place that cannot be written to is told by the append.
  }
}

function append(text: string, flags: number): void {
  const descriptor = openSync(state.file, flags, 0o600);
  try {
    appendFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}
