/** Names: text in a Dockerfile, one byte a character in a tree. */

const BEYOND_ASCII = /[\u0080-\uffff]/;

/** The bytes of a text. */
export function bytesOf(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text).toString('latin1') : text;
}

/** The text that bytes are; what is no UTF-8 is replaced. */
export function textOf(bytes: string): string {
  return BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString() : bytes;
}
