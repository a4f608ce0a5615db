/** Sizes as Docker shows them; after go-units' `HumanSizeWithPrecision` and `BytesSize`. */
import { goFloat } from './go-float.ts';

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

function scale(bytes: number, base: number, units: readonly string[], digits: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= base && unit < units.length - 1) {
    size /= base;
    unit += 1;
  }
  return `${goFloat(size, digits)}${units[unit]}`;
}

/** Decimal units, three significant digits: `1.98MB`. */
export function humanSize(bytes: number, digits = 3): string {
  return scale(bytes, 1000, DECIMAL, digits);
}

/** Binary units, four significant digits: `23.54GiB`. */
export function binarySize(bytes: number): string {
  return scale(bytes, 1024, BINARY, 4);
}
