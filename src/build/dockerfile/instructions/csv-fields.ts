/** One line of comma-separated values, as Go's encoding/csv reads it. */
import { DockerfileError } from '../error.ts';

/** @throws DockerfileError in Go's words for quotes in wrong places and for an empty line. */
export function csvFields(line: string): string[] {
  const text = line.replace(/\r?\n$/, '');
  if (text === '') throw failure('EOF');
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at);
    fields.push(field.value);
    at = field.end;
    if (at >= text.length) return fields;
  }
}

interface Field {
  value: string;
  /** Index of the comma behind it, or of the end. */
  end: number;
}

function plainField(text: string, start: number): Field {
  const comma = text.indexOf(',', start);
  const end = comma < 0 ? text.length : comma;
  const value = text.slice(start, end);
  const quote = value.indexOf('"');
  if (quote >= 0)
    throw failure(`parse error on line 1, column ${start + quote + 1}: bare " in non-quoted-field`);
  return { value, end };
}

function quotedField(text: string, start: number): Field {
  let value = '';
  for (let at = start + 1; ;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw badQuote(at);
    value += text.slice(at, quote);
    const next = text[quote + 1];
    if (next === undefined || next === ',') return { value, end: quote + 1 };
    if (next !== '"') throw badQuote(quote);
    value += '"';
    at = quote + 2;
  }
}

function badQuote(index: number): DockerfileError {
  return failure(`parse error on line 1, column ${index + 1}: extraneous or missing " in quoted-field`);
}

function failure(reason: string): DockerfileError {
  return new DockerfileError(`failed to parse csv mounts: ${reason}`);
}
