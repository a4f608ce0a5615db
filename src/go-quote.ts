/** Text as Go's programs show it where it is somebody else's. */

const ESCAPES: Record<string, string> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** A character as Go writes it in a string: `\n`, `\x1b`, `\u202e`, `\U000e0001`. */
export function goEscape(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  if (ESCAPES[char] !== undefined) return ESCAPES[char];
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}

/** A string as Go's `%q` writes it. */
export function goQuote(text: string): string {
  // What is escaped is exactly what does not print: controls, and separators other than the space.
  // oxlint-disable-next-line no-control-regex -- control characters are the subject here
  return `"${text.replace(/[\u0000-\u001f\u007f"\\]|(?! )[\p{C}\p{Z}]/gu, goEscape)}"`;
}
