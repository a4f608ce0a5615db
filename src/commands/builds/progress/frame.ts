/** One picture of a build for a terminal of a certain size. Pure, but that windows note that they were shown. */
import type { LiveLine } from '../../../output/live-area.ts';
import { escapeControls } from '../../../output/one-line.ts';
import { fitting, textWidth } from '../../../output/text-width.ts';
import type { Colours } from './colours.ts';
import { amount, seconds } from './numbers.ts';
import { type Step, type StepLine, warningLine } from './steps.ts';

/** The output of a step, of which its last lines are shown while it runs. */
export interface OutputWindow {
  /** How much it was. */
  bytes: number;
  /** How often it was shown. */
  shown: number;
  lines: () => string[];
}

export interface FrameOptions {
  columns: number;
  rows: number;
  /** All steps, even if they are more than the screen holds: the last frame. */
  whole: boolean;
  /** Milliseconds since 1970. */
  now: number;
  builder: string;
  colours: Colours;
  logLines: number;
  windowOf: (step: Step) => OutputWindow | undefined;
}

const FAINT = '\u001B[2m';
/** A name gets at least so many columns, or the line is left out. */
const NAME_MIN = 12;
/** With less than this for name and size, the size is left out. */
const SIZE_MIN = 20;
/** What is left of a frame's rows: the first line and the cursor's. */
const OTHER_ROWS = 2;
/** Rows that a window needs free besides its own. */
const WINDOW_REST = 3;
/** Faster is shown as no time. */
const SHORT_MS = 50;
/** A window counts as having so many bytes more each time it was shown, so that it stays. */
const SHOWN_WEIGHT = 50;

interface Row {
  name: string;
  /** Bytes. */
  size: string;
  milliseconds: number;
  running: boolean;
  style: string;
  window: OutputWindow | undefined;
}

export function frame(steps: readonly Step[], options: FrameOptions): LiveLine[] {
  const { columns, rows } = options;
  const begun = steps.filter(({ started }) => started !== undefined);
  const all = begun.flatMap((step) => rowsOf(step, options));
  const windows = options.whole ? new Set<OutputWindow>() : windowsFor(all, options);
  const used = [...windows].reduce((sum, window) => sum + window.lines().length, 0);
  const shown = options.whole ? all : fittingRows(all, rows - OTHER_ROWS - used);
  return [
    { text: fitting(head(steps, options), columns), style: '' },
    ...shown.flatMap((row) => {
      const text = rowText(row, columns);
      if (text === undefined) return [];
      const style = row.running ? '' : row.style;
      const output = row.window !== undefined && windows.has(row.window) ? row.window.lines() : [];
      if (output.length > 0 && row.window !== undefined) row.window.shown++;
      return [{ text, style }, ...output.map((line) => outputLine(line, columns))];
    }),
  ];
}

function head(steps: readonly Step[], { columns, now, builder, whole }: FrameOptions): string {
  const ended = steps.filter((step) => step.ended !== undefined);
  const first = Math.min(...steps.map(({ started }) => started ?? now), now);
  const last = whole ? Math.max(first, ...ended.map((step) => step.ended ?? first)) : now;
  const state = whole && ended.length > 0 && ended.length === steps.length ? 'FINISHED' : '';
  const left = `[+] Building ${seconds(last - first)}s (${ended.length}/${steps.length}) ${state}`;
  return `${left.padEnd(columns - 1 - builder.length - 1)} ${builder}`;
}

function rowsOf(step: Step, { now, colours, windowOf }: FrameOptions): Row[] {
  const { started = now, ended } = step;
  const style = step.cancelled ? colours.cancel : step.failure === '' ? colours.run : colours.error;
  const own: Row = {
    name: `${mark(step)}${step.name}`,
    size: '',
    milliseconds: (ended ?? now) - started,
    running: ended === undefined,
    style,
    window: ended === undefined ? windowOf(step) : undefined,
  };
  const lines = step.lines.map((line) => lineRow(line, now, colours.run));
  const warnings = step.warnings.map((warning) => ({
    name: escapeControls(`WARN: ${warningLine(warning)}`),
    size: '',
    milliseconds: own.milliseconds,
    running: false,
    style: colours.warning,
    window: undefined,
  }));
  return [own, ...lines, ...warnings];
}

function mark({ cancelled, failure, cached }: Step): string {
  if (cancelled) return 'CANCELED ';
  if (failure !== '') return 'ERROR ';
  return cached ? 'CACHED ' : '';
}

function lineRow({ label, current, total, started, ended }: StepLine, now: number, style: string): Row {
  return {
    name: escapeControls(`=> ${label}`),
    size: amount(current, total),
    milliseconds: (ended ?? now) - started,
    running: ended === undefined,
    style,
    window: undefined,
  };
}

/** Which outputs are shown: those with the most to say, as far as there is room. */
function windowsFor(rows: readonly Row[], { rows: height, logLines }: FrameOptions): Set<OutputWindow> {
  const weight = (window: OutputWindow): number => window.bytes + window.shown * SHOWN_WEIGHT;
  const candidates = rows
    .flatMap(({ window }) => (window === undefined || window.bytes === 0 ? [] : [window]))
    .toSorted((one, other) => weight(other) - weight(one));
  const each = logLines + WINDOW_REST;
  let free = height - OTHER_ROWS - rows.filter(({ running }) => running).length;
  const chosen = new Set<OutputWindow>();
  for (const window of candidates) {
    if (free <= each) break;
    chosen.add(window);
    free -= each;
  }
  return chosen;
}

/** As many rows as there is room for: what runs, then the latest of what has ended, in their order. */
function fittingRows(rows: readonly Row[], room: number): Row[] {
  if (rows.length <= room) return [...rows];
  if (room <= 0) return [];
  const running = rows.filter((row) => row.running).slice(-room);
  const ended = rows.filter((row) => !row.running);
  const kept = new Set([...running, ...ended.slice(ended.length - (room - running.length))]);
  return rows.filter((row) => kept.has(row));
}

/** ` => [2/3] RUN make                    1.2s`; undefined when there is no room for it. */
function rowText({ name, size, milliseconds }: Row, columns: number): string | undefined {
  const time = `${seconds(milliseconds < SHORT_MS ? 0 : milliseconds)}s`;
  let room = columns - ' => '.length - time.length - 3;
  const withSize = size !== '' && room + size.length > SIZE_MIN;
  if (withSize) room -= size.length + 1;
  if (room < NAME_MIN) return undefined;
  const left = ` => ${fitting(name, room)}${withSize ? ` ${size}` : ''}`;
  const gap = Math.max(0, columns - 1 - time.length - textWidth(left));
  return `${left}${' '.repeat(gap)}${time}`;
}

function outputLine(line: string, columns: number): LiveLine {
  return { text: fitting(` => => # ${line}`, columns - 1), style: FAINT };
}
