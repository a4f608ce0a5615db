/** Waiting for what comes beside a command. */
const POLL_MS = 20;

/** Resolves when `there` holds. @throws Error naming what did not come within `limitMs` */
export async function until(
  what: string,
  there: () => boolean | Promise<boolean>,
  limitMs: number,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await there())) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
