/** The table of `top`: Docker pads its columns to 20 characters. Pure. */
import type { ProcessList } from '../../engine/top.ts';
import type { Column } from './process-columns.ts';

const MIN_WIDTH = 20;
const PADDING = 3;

export function processTable(list: ProcessList, columns: readonly Column[]): string {
  const rows = list.processes.map((process) => columns.map((column) => column.value(process, list)));
  const all = [columns.map(({ heading }) => heading), ...rows];
  const widths = columns.map((_, n) =>
    Math.max(MIN_WIDTH, ...all.map((cells) => (cells[n]?.length ?? 0) + PADDING)),
  );
  const last = columns.length - 1;
  const line = (cells: readonly string[]): string =>
    cells.map((cell, n) => (n === last ? cell : cell.padEnd(widths[n] ?? 0))).join('');
  return all.map((cells) => `${line(cells)}\n`).join('');
}
