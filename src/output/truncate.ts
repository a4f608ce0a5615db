/** Cuts a text to `length` characters, the last of them `…` when something is lost; after Docker's `Ellipsis`. */
export function ellipsis(text: string, length: number): string {
  const characters = Array.from(text);
  if (characters.length <= length) return text;
  return `${characters.slice(0, length - 1).join('')}…`;
}
