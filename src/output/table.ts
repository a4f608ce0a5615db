/** Columns as Go's text/tabwriter aligns them for Docker: at least 10 wide, 3 spaces between. */

const MIN_WIDTH = 10;
const PADDING = 3;

/**
 * Aligns the tab-separated cells of `lines`. A cell is part of a column when a tab ends it, so the last
 * cell of a line is not padded; a column is as wide as its widest cell in a run of neighbouring lines.
 */
export function alignColumns(lines: readonly string[]): string[] {
  const rows = lines.map((line) => line.split('\t'));
  const widths = rows.map((): number[] => []);
  measure(rows, widths, 0, rows.length, 0);
  return rows.map((cells, row) =>
    cells
      .map((cell, column) => {
        if (column === cells.length - 1) return cell;
        return cell + ' '.repeat((widths[row]?.[column] ?? 0) - displayLength(cell));
      })
      .join(''),
  );
}

function measure(
  rows: readonly string[][],
  widths: number[][],
  from: number,
  to: number,
  column: number,
): void {
  for (let start = from; start < to; start += 1) {
    if (!endsWithTab(rows[start], column)) continue;
    let end = start;
    let widest = 0;
    for (; end < to && endsWithTab(rows[end], column); end += 1) {
      widest = Math.max(widest, displayLength(rows[end]?.[column] ?? ''));
    }
    const width = Math.max(MIN_WIDTH, widest + PADDING);
    for (let row = start; row < end; row += 1) widths[row]?.push(width);
    measure(rows, widths, start, end, column + 1);
    start = end;
  }
}

function endsWithTab(cells: readonly string[] | undefined, column: number): boolean {
  return cells !== undefined && column < cells.length - 1;
}

/** Code points, as tabwriter counts. */
function displayLength(text: string): number {
  let length = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // The second half of a pair.
    if (unit >= 0xdc00 && unit <= 0xdfff) length -= 1;
  }
  return length;
}

/** A table with its header line, ready to print. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = alignColumns([header, ...rows].map((cells) => cells.join('\t')));
  return `${lines.join('\n')}\n`;
}
