/** The list of flags in a command's help, laid out as pflag's `FlagUsagesWrapped` does. */
import { kinds } from './kinds.ts';
import type { FlagSet, FlagSpec } from './spec.ts';

/** Columns by which a wrapped line may be longer, to avoid a lone short word on the next. */
const SLOP = 5;

/**
 * One paragraph a flag, sorted by name, wrapped at `columns`.
 * Refused and hidden flags are left out.
 */
export function flagUsages(flags: FlagSet, columns: number): string {
  const shown = Object.entries(flags)
    .filter(([, spec]) => spec.hidden !== true && spec.refused === undefined && spec.aliasOf === undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, spec]) => ({ left: leftColumn(name, spec), right: rightColumn(spec) }));
  const width = Math.max(0, ...shown.map(({ left }) => left.length)) + 3;
  return shown.map(({ left, right }) => left.padEnd(width) + wrap(right, width, columns)).join('\n');
}

function leftColumn(name: string, spec: FlagSpec): string {
  const label = kinds[spec.kind].label;
  const letter = spec.short === undefined ? '    ' : `-${spec.short}, `;
  return `  ${letter}--${name}${label === '' ? '' : ` ${label}`}`;
}

function rightColumn(spec: FlagSpec): string {
  if (spec.default === undefined || spec.default === '' || spec.default === 'false') return spec.help;
  const isText = spec.kind === 'string' || spec.kind === 'network';
  return `${spec.help} (default ${isText ? `"${spec.default}"` : spec.default})`;
}

/** Breaks `text` for a column that starts at `indent`; text before a newline of its own stays a line. */
function wrap(text: string, indent: number, columns: number): string {
  const room = columns - indent - SLOP;
  const lines: string[] = [];
  for (let rest = text; rest !== '';) {
    const [line, left] = breakLine(rest, room);
    lines.push(line);
    rest = left;
  }
  return lines.join('\n').replaceAll('\n', `\n${' '.repeat(indent)}`);
}

function breakLine(text: string, room: number): [string, string] {
  if (room + SLOP > text.length) return [text, ''];
  const head = text.slice(0, room);
  const space = Math.max(head.lastIndexOf(' '), head.lastIndexOf('\n'));
  if (space <= 0) return [text, ''];
  const newline = head.lastIndexOf('\n');
  const cut = newline > 0 && newline < space ? newline : space;
  return [text.slice(0, cut), text.slice(cut + 1)];
}
