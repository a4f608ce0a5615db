/** Words of strangers, made fit to be shown. */

const LONGEST_TEXT = 300;

/** Text from outside as it may appear in one line of a terminal: no control characters, not too long. */
export function printable(text: string): string {
  const line = text
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim();
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}…` : line;
}
