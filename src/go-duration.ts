/** A duration as Go's `time.Duration` prints it: `1m30s`, `1.5s`, `300ms`, `0s`. */

const SUB_SECOND: readonly [string, number][] = [
  ['ms', 1e6],
  ['µs', 1e3],
  ['ns', 1],
];

/** @param nanoseconds whole, not negative */
export function goDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 1e9) {
    const [unit, size] = SUB_SECOND.find(([, each]) => nanoseconds >= each) ?? ['ns', 1];
    return `${nanoseconds / size}${unit}`;
  }
  const hours = Math.floor(nanoseconds / 3600e9);
  const minutes = Math.floor(nanoseconds / 60e9) % 60;
  const seconds = (nanoseconds % 60e9) / 1e9;
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`;
}
