/** Numbers as BuildKit writes them: sizes in decimal units, seconds with as many places as are of use. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `57B`, `1.23kB`. */
export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? String(count) : value.toFixed(2)}${UNITS[unit]}`;
}

/** `1.50MB / 3.00MB`; empty when there is nothing to tell. */
export function amount(current: number, total: number): string {
  if (total !== 0) return `${bytes(current)} / ${bytes(total)}`;
  return current === 0 ? '' : bytes(current);
}

/** Seconds with one place; `milliseconds` may be fractional. */
export function seconds(milliseconds: number): string {
  return (Math.max(0, milliseconds) / 1000).toFixed(1);
}

/** When a line of output came, since its step began. */
export function timestamp(milliseconds: number): string {
  const value = Math.max(0, milliseconds) / 1000;
  return value.toFixed(value < 10 ? 3 : value < 100 ? 2 : 1);
}
