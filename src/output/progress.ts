/** Progress of layers: bars that are drawn anew on a terminal, plain lines elsewhere. */
import { humanSize } from './human-size.ts';

export interface Bytes {
  done: number;
  total: number;
}

export interface Progress {
  /** A line of its own. */
  line(text: string): void;
  /** What a layer is at now. */
  layer(id: string, status: string, bytes?: Bytes): void;
  /** The last state is drawn; nothing follows. */
  end(): void;
}

export interface ProgressTarget {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string): unknown;
}

const FRAME_MS = 100;
const BAR_MAX = 50;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** Progress in the form that suits the target. */
export function progressOn(target: ProgressTarget): Progress {
  return target.isTTY === true ? new TerminalProgress(target) : plainProgress(target);
}

/** No progress at all (`-q`). */
export const noProgress: Progress = { line: () => {}, layer: () => {}, end: () => {} };

/** A line for each new status; no bytes, which would be a line each. */
function plainProgress(target: ProgressTarget): Progress {
  const told = new Map<string, string>();
  return {
    line: (text) => void target.write(`${text}\n`),
    layer(id, status, bytes) {
      if (bytes !== undefined || told.get(id) === status) return;
      told.set(id, status);
      target.write(`${id}: ${status}\n`);
    },
    end: () => {},
  };
}

interface LayerLine {
  text: string;
  /** Bytes and time of the first news of the running transfer, for its speed. */
  since?: { done: number; at: number };
}

class TerminalProgress implements Progress {
  readonly #target: ProgressTarget;
  readonly #layers = new Map<string, LayerLine>();
  /** Lines of layers that stand on the screen, above the cursor. */
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(target: ProgressTarget) {
    this.#target = target;
  }

  line(text: string): void {
    this.#draw();
    this.#target.write(`${text}\n`);
    // What is above another line is not drawn again.
    this.#layers.clear();
    this.#drawn = 0;
  }

  layer(id: string, status: string, bytes?: Bytes): void {
    const layer = this.#layers.get(id) ?? { text: '' };
    const { since: _ended, ...rest } = layer;
    const since = bytes === undefined ? undefined : (layer.since ?? { done: bytes.done, at: Date.now() });
    const shown = bytes === undefined || since === undefined ? '' : ` ${this.#bar(bytes, since)}`;
    this.#layers.set(id, {
      ...rest,
      text: `${id}: ${status}${shown}`,
      ...(since === undefined ? {} : { since }),
    });
    this.#timer ??= setTimeout(() => this.#draw(), FRAME_MS).unref();
  }

  end(): void {
    this.#draw();
    // What is printed below stays.
    this.#layers.clear();
    this.#drawn = 0;
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#layers.size === 0) return;
    const columns = this.#target.columns || DEFAULT_COLUMNS;
    const rows = this.#target.rows || DEFAULT_ROWS;
    // The cursor cannot go above the screen: of many layers the last ones are drawn.
    const lines = [...this.#layers.values()].slice(-(rows - 1)).map(({ text }) => text.slice(0, columns - 1));
    const up = this.#drawn === 0 ? '' : `\u001B[${this.#drawn}A`;
    this.#target.write(`${up}${lines.map((text) => `\r\u001B[2K${text}\n`).join('')}`);
    this.#drawn = lines.length;
  }

  /** `[=====>     ]  1.2MB/3.4MB  5.6MB/s`, as wide as the terminal allows. */
  #bar({ done, total }: Bytes, since: { done: number; at: number }): string {
    const seconds = (Date.now() - since.at) / 1000;
    const speed = seconds < 0.5 ? '' : `  ${humanSize((done - since.done) / seconds)}/s`;
    const numbers = `${humanSize(done)}/${humanSize(total)}${speed}`;
    const width = Math.min(BAR_MAX, (this.#target.columns || DEFAULT_COLUMNS) - numbers.length - 35);
    if (width < 5) return numbers;
    const filled = total === 0 ? width : Math.min(width, Math.floor((done / total) * width));
    const head = filled < width ? '>' : '=';
    const bar = `${'='.repeat(Math.max(0, filled - 1))}${filled > 0 ? head : ''}`;
    return `[${bar.padEnd(width)}]  ${numbers}`;
  }
}
