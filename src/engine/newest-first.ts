/** Order of two ISO 8601 times in UTC, the later first. Not localeCompare: loading its tables costs 7 ms of a start. */
export function newestFirst(a: string, b: string): number {
  if (a === b) return 0;
  return a > b ? -1 : 1;
}
