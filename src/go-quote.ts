/** Strings as Go prints them. */
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

/** A string as Go's `%q` writes it. */
export function goQuote(text: string): string {
  // What is escaped is exactly what does not print: controls, and separators other than the space.
  // oxlint-disable-next-line no-control-regex -- control characters are the subject here
  const quoted = text.replace(/[\u0000-\u001f\u007f"\\]|(?! )[\p{C}\p{Z}]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    if (ESCAPES[char] !== undefined) return ESCAPES[char];
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
    if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
    return `\\U${code.toString(16).padStart(8, '0')}`;
  });
  return `"${quoted}"`;
}
