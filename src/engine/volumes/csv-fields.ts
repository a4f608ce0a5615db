/** One line of comma-separated values, as Go's encoding/csv reads it: `--mount` has its commas in quotes. */
import { A3sError } from '../../errors.ts';

const FIELD = /"((?:[^"]|"")*)"(,|$)|([^",]*)(,|$)/y;

/** @throws A3sError `usage` for a quote where none may be. */
export function csvFields(line: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    FIELD.lastIndex = at;
    const match = FIELD.exec(line);
    if (match === null) {
      throw new A3sError('usage', `parse error on line 1, column ${at + 1}: bare " in non-quoted field`);
    }
    const [whole, quoted, , plain = ''] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    at += whole.length;
    if (!whole.endsWith(',')) return fields;
  }
}
