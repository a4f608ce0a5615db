/** White space as Go's `unicode.IsSpace` has it, which BuildKit trims and splits by. */

const SPACE = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const NOT_SPACE = /[^\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

export function isSpace(character: string): boolean {
  return SPACE.test(character);
}

export function trimStart(text: string): string {
  const start = text.search(NOT_SPACE);
  return start < 0 ? '' : text.slice(start);
}

export function trim(text: string): string {
  const rest = trimStart(text);
  let end = rest.length;
  while (end > 0 && isSpace(rest.charAt(end - 1))) end--;
  return rest.slice(0, end);
}

/** The parts between single white space characters; some may be empty. */
export function splitAtSpace(text: string): string[] {
  return text.split(SPACE);
}
