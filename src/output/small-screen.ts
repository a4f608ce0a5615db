/**
 * The last lines of what a program writes, as a terminal of a few lines would show them: progress bars that are drawn anew stay
 * one line, colours and the like are left out, so that nothing of it can steer the real terminal.
 */
import { characterWidth } from './text-width.ts';

const ESCAPE = '\u001B';
/** CSI, OSC and other sequences; the last alternative is one that is not complete yet. */
const SEQUENCE =
  // oxlint-disable-next-line no-control-regex -- what is looked for are control characters
  /^\u001B(?:\[(?<parameters>[0-?]*)[ -/]*(?<final>[@-~])|[\]PX^_][^\u0007\u001B]*(?:\u0007|\u001B\\)|[ -/]*[0-OQ-WYZ\\`-~])/;
/** A sequence that is longer is none. */
const SEQUENCE_MAX = 1024;
const TAB = 8;
const CONTROL = /^\p{Cc}$/u;

export class SmallScreen {
  readonly #decoder = new TextDecoder();
  readonly #height: number;
  #width: number;
  /** Cells of each line; a wide character is followed by an empty one. */
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;
  #unfinished = '';

  constructor(height: number, width: number) {
    this.#height = height;
    this.#width = Math.max(1, width);
  }

  /** For what is written from now on. */
  resize(width: number): void {
    this.#width = Math.max(1, width);
  }

  /** The lines that are not blank. */
  get lines(): string[] {
    return this.#lines.map((cells) => cells.join('').trimEnd()).filter((line) => line !== '');
  }

  write(bytes: Buffer): void {
    let rest = this.#unfinished + this.#decoder.decode(bytes, { stream: true });
    this.#unfinished = '';
    while (rest !== '') {
      if (rest.startsWith(ESCAPE)) {
        const match = SEQUENCE.exec(rest.slice(0, SEQUENCE_MAX));
        if (match === null && rest.length < SEQUENCE_MAX) {
          this.#unfinished = rest;
          return;
        }
        if (match?.groups !== undefined) this.#steer(match.groups['final'], match.groups['parameters']);
        rest = rest.slice(match === null ? 1 : match[0].length);
        continue;
      }
      const next = rest.indexOf(ESCAPE);
      const plain = next < 0 ? rest : rest.slice(0, next);
      for (const character of plain) this.#put(character);
      rest = rest.slice(plain.length);
    }
  }

  #put(character: string): void {
    if (character === '\n') this.#feed();
    else if (character === '\r') this.#column = 0;
    else if (character === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (character === '\t') {
      this.#column = Math.min(this.#width - 1, (Math.floor(this.#column / TAB) + 1) * TAB);
    } else if (!CONTROL.test(character)) this.#print(character);
  }

  #print(character: string): void {
    const width = characterWidth(character);
    if (width === 0) return;
    if (this.#column + width > this.#width) this.#feed();
    const line = this.#line();
    while (line.length < this.#column) line.push(' ');
    line[this.#column] = character;
    if (width === 2) line[this.#column + 1] = '';
    this.#column += width;
  }

  #feed(): void {
    this.#column = 0;
    this.#row++;
    if (this.#row < this.#height) return;
    this.#lines.shift();
    this.#row = this.#height - 1;
  }

  #line(): string[] {
    while (this.#lines.length <= this.#row) this.#lines.push([]);
    return this.#lines[this.#row] ?? [];
  }

  #steer(final: string | undefined, parameters = ''): void {
    const count = Number.parseInt(parameters, 10) || 0;
    const steps = Math.max(1, count);
    if (final === 'A') this.#row = Math.max(0, this.#row - steps);
    else if (final === 'B') this.#row = Math.min(this.#height - 1, this.#row + steps);
    else if (final === 'C') this.#column = Math.min(this.#width - 1, this.#column + steps);
    else if (final === 'D') this.#column = Math.max(0, this.#column - steps);
    else if (final === 'G') this.#column = Math.min(this.#width, steps) - 1;
    else if (final === 'K') this.#erase(count);
    else if (final === 'J') {
      this.#erase(count);
      if (count === 0) this.#lines.length = this.#row + 1;
      else if (count > 1) this.#lines = [[]];
    }
  }

  /** 0: behind the cursor; 1: up to it; 2: the whole line. */
  #erase(what: number): void {
    const line = this.#line();
    if (what === 0) line.length = Math.min(line.length, this.#column);
    else if (what === 1) line.fill(' ', 0, this.#column + 1);
    else line.length = 0;
  }
}
