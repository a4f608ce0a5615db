/** One line of comma-separated values, as Go's encoding/csv reads it: `--mount` has its commas in quotes. */
import { A3sError } from '../../errors.ts';

const FIELD = /"((?:[^"]|"")*)"(,|$)|([^",]*)(,|$)/y;

/** Where the first field from `at` on goes wrong; columns are bytes. */
function badQuote(line: string, at: number): A3sError {
  const opening = /"(?:[^"]|"")*/y;
  opening.lastIndex = at;
  const quoted = opening.test(line);
  const column = Buffer.byteLength(line.slice(0, quoted ? opening.lastIndex : line.indexOf('"', at))) + 1;
  const fault = quoted ? 'extraneous or missing " in quoted-field' : 'bare " in non-quoted-field';
  return new A3sError('usage', `parse error on line 1, column ${column}: ${fault}`);
}

/** @throws A3sError `usage` for a quote where none may be. */
export function csvFields(line: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    FIELD.lastIndex = at;
    const match = FIELD.exec(line);
    if (match === null) throw badQuote(line, at);
    const [whole, quoted, , plain = ''] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    at += whole.length;
    if (!whole.endsWith(',')) return fields;
  }
}
