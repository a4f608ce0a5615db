/** A terminal that understands what live progress writes, and wraps its lines anew when its width changes. */
import { textWidth } from '../../../../src/output/text-width.ts';

// oxlint-disable-next-line no-control-regex -- what is read are control sequences
const PART = /\u001B\[(?<parameters>[?\d;]*)(?<final>[A-Za-z])|[\r\n]|[^\u001B\r\n]/gsu;

interface Line {
  cells: string[];
  /** It goes on in the next row. */
  wrapped: boolean;
}

export class FakeTerminal {
  readonly isTTY = true;
  columns: number;
  rows: number;
  /** All that was ever written, with its control sequences. */
  written = '';
  cursorShown = true;
  #lines: Line[] = [{ cells: [], wrapped: false }];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write = (piece: string | Buffer): boolean => {
    const text = piece.toString();
    this.written += text;
    for (const match of text.matchAll(PART)) {
      const { parameters = '', final } = match.groups ?? {};
      if (final !== undefined) this.#control(final, parameters);
      else if (match[0] === '\r') this.#column = 0;
      else if (match[0] === '\n') this.#feed(false);
      else this.#print(match[0]);
    }
    return true;
  };

  /** What a person sees and can scroll back to, without blank lines at the end. */
  get text(): string {
    return `${this.#lines
      .map(({ cells }) => cells.join('').trimEnd())
      .join('\n')
      .trimEnd()}\n`;
  }

  /** A new width: lines that were wrapped are joined, and wrapped again where they have to be. */
  resize(columns: number): void {
    const whole: string[][] = [];
    let cursor = 0;
    let goesOn = false;
    for (const [row, { cells, wrapped }] of this.#lines.entries()) {
      if (goesOn) whole.at(-1)?.push(...cells);
      else whole.push([...cells]);
      goesOn = wrapped;
      if (row === this.#row) cursor = whole.length - 1;
    }
    this.columns = columns;
    this.#lines = [];
    for (const [index, cells] of whole.entries()) {
      if (index === cursor) this.#row = this.#lines.length;
      const rows = Math.max(1, Math.ceil(cells.length / columns));
      for (let row = 0; row < rows; row++) {
        const part = cells.slice(row * columns, (row + 1) * columns);
        this.#lines.push({ cells: part, wrapped: row < rows - 1 });
      }
    }
  }

  #print(character: string): void {
    const width = textWidth(character);
    if (this.#column + width > this.columns) this.#feed(true);
    const line = this.#line();
    while (line.cells.length < this.#column) line.cells.push(' ');
    line.cells[this.#column] = character;
    if (width === 2) line.cells[this.#column + 1] = '';
    this.#column += width;
  }

  #feed(wrapped: boolean): void {
    this.#line().wrapped = wrapped;
    this.#row++;
    this.#column = 0;
    this.#line();
  }

  #line(): Line {
    while (this.#lines.length <= this.#row) this.#lines.push({ cells: [], wrapped: false });
    return this.#lines[this.#row] ?? { cells: [], wrapped: false };
  }

  #control(final: string, parameters: string): void {
    if (final === 'A') {
      // The cursor stops at the top of the screen.
      const top = Math.max(0, this.#lines.length - this.rows);
      this.#row = Math.max(top, this.#row - Number(parameters));
    } else if (final === 'K') this.#line().cells.length = this.#column;
    else if (final === 'J') {
      this.#line().cells.length = Math.min(this.#line().cells.length, this.#column);
      this.#lines.length = this.#row + 1;
    } else if (parameters === '?25') this.cursorShown = final === 'h';
    else if (final !== 'm') throw new Error(`a terminal of a test does not know ${parameters}${final}`);
  }
}
