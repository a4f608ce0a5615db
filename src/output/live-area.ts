/** Lines at the end of a terminal that are drawn anew again and again. */
import { textWidth } from './text-width.ts';

export interface LiveLine {
  text: string;
  /** Escape sequence that colours it; empty for none. */
  style: string;
}

export interface LiveTarget {
  columns?: number | undefined;
  rows?: number | undefined;
  write(text: string): unknown;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const HIDE_CURSOR = '\u001B[?25l';
const SHOW_CURSOR = '\u001B[?25h';
const CLEAR_LINE = '\u001B[K';
const CLEAR_BELOW = '\u001B[J';
const RESET = '\u001B[0m';

export class LiveArea {
  readonly #target: LiveTarget;
  /** Widths of the lines on the screen: in a terminal that has got narrower they take more rows. */
  #drawn: number[] = [];

  constructor(target: LiveTarget) {
    this.#target = target;
  }

  get columns(): number {
    return this.#target.columns || DEFAULT_COLUMNS;
  }

  get rows(): number {
    return this.#target.rows || DEFAULT_ROWS;
  }

  /** Draws the lines in place of those before; none may be wider than the terminal. In one write, so that nothing flickers. */
  draw(lines: readonly LiveLine[]): void {
    const up = this.#rowsAbove();
    const text = lines.map(({ text, style }) => `${style}${text}${style === '' ? '' : RESET}${CLEAR_LINE}\n`);
    const back = up === 0 ? '\r' : `\u001B[${up}A\r`;
    this.#target.write(`${HIDE_CURSOR}${back}${text.join('')}${CLEAR_BELOW}${SHOW_CURSOR}`);
    this.#drawn = lines.map((line) => textWidth(line.text));
  }

  /** Rows from the first line to the cursor; those that have left the screen cannot be reached. */
  #rowsAbove(): number {
    const { columns } = this;
    const rows = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return Math.min(rows, this.rows - 1);
  }
}
