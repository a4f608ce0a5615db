/** The lines of a file, one at a time and bounded. */
import { Buffer } from 'node:buffer';

import { DockerfileError } from '../error.ts';

/** Longest line in bytes, as BuildKit has it (bufio.MaxScanTokenSize). */
const LINE_MAX = 65_535;
/** Of a whole Dockerfile; BuildKit's messages hold no more. */
const FILE_MAX = 16 * 1024 * 1024;
const BYTE_ORDER_MARK = '\ufeff';

export class PhysicalLines {
  readonly #text: string;
  #position = 0;
  /** Number of the line that was read last; 0 before the first. */
  number = 0;

  /** @throws DockerfileError when the text is too large. */
  constructor(text: string) {
    if (Buffer.byteLength(text) > FILE_MAX) {
      throw new DockerfileError(`dockerfile greater than max allowed size of ${FILE_MAX}`);
    }
    this.#text = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  }

  /**
   * The next line with its line feed, undefined at the end.
   * @throws DockerfileError when the line is too long.
   */
  next(): string | undefined {
    if (this.#position >= this.#text.length) return undefined;
    const feed = this.#text.indexOf('\n', this.#position);
    const end = feed < 0 ? this.#text.length : feed + 1;
    const line = this.#text.slice(this.#position, end);
    this.#position = end;
    this.number++;
    if (Buffer.byteLength(line) - (feed < 0 ? 0 : 1) > LINE_MAX) {
      throw new DockerfileError(`dockerfile line greater than max allowed size of ${LINE_MAX}`, {
        first: this.number,
        last: this.number,
      });
    }
    return line;
  }
}

/** Without the line end, however it is written. */
export function withoutLineEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === '\n' || line[end - 1] === '\r')) end--;
  return line.slice(0, end);
}
