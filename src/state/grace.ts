/** How long a box may take to stop before it is killed. */

/** The longest that a timer of Node's waits; it takes a longer time for 1 ms. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The longest grace in seconds: 24 days. */
export const MAX_GRACE_S = Math.floor(MAX_TIMER_MS / 1000);

/** The seconds as records and monitors have them: -1 for every negative number (for ever), at most MAX_GRACE_S. */
export function graceSeconds(given: number): number {
  return given < 0 ? -1 : Math.min(given, MAX_GRACE_S);
}
