/** The part of a Dockerfile that a report of an error shows. Pure. */
import type { Lines } from './error.ts';

const RULE = '--------------------';
/** Lines around the ones to blame; one line alone gets more of them. */
const AROUND = { one: 4, several: 2 };

/**
 * The lines to blame, marked, and some around them, as BuildKit prints them (solver/errdefs, Source.Print); each
 * line ends with a line feed. Empty when the lines are not in the text.
 */
export function excerpt(file: string, text: string, lines: Lines): string {
  const all = text.split('\n');
  if (lines.first < 1 || lines.first > all.length) return '';
  let first = lines.first;
  let last = Math.min(lines.last, all.length);
  const around = first === last ? AROUND.one : AROUND.several;
  // A line above and one below count as two more, and each round as one.
  for (let shown = 0; shown < around; shown++) {
    if (first > 1) {
      first--;
      shown++;
    }
    if (last < all.length) {
      last++;
      shown++;
    }
  }
  const shown = all.slice(first - 1, last).map((line, index) => {
    const number = first + index;
    const mark = number >= lines.first && number <= lines.last ? '>>>' : '   ';
    return ` ${String(number).padStart(3)} | ${mark} ${line}`;
  });
  return [`${file}:${lines.first}`, RULE, ...shown, RULE, ''].join('\n');
}
