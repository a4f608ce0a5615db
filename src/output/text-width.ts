/** How many columns of a terminal a text takes. */

/** East Asian wide and full-width characters, and emoji: two columns each. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** Marks that stand on the character before them, joiners, and what turns the direction of text. */
const NONE = /^[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns of one character. */
export function characterWidth(character: string): 0 | 1 | 2 {
  if (character >= ' ' && character <= '~') return 1;
  if (NONE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** The start of the text that has room in so many columns. */
export function fitting(text: string, columns: number): string {
  let width = 0;
  let end = 0;
  for (const character of text) {
    width += characterWidth(character);
    if (width > columns) return text.slice(0, end);
    end += character.length;
  }
  return text;
}
