/** After this time, in milliseconds, a step says that it is at work. */
const patience = 1000;

/**
 * Runs one step of the set-up and prints one line about it, with the time it took; before that, what it is
 * busy with if it takes long.
 * @template {{ summary: string }} Result
 * @param {string} name
 * @param {(announce: (activity: string) => void) => Promise<Result>} work
 * @returns {Promise<Result>}
 */
export async function step(name, work) {
  const started = performance.now();
  let activity = 'at work';
  const timer = setTimeout(() => console.log(`${name}: ${activity} …`), patience);
  try {
    const result = await work((doing) => (activity = doing));
    console.log(`${name}: ${result.summary} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** What keeps this host from being set up, one entry for each thing that is missing. */
export class NotReady extends Error {
  /** @param {readonly string[]} missing */
  constructor(missing) {
    super(`This host is not ready. Missing:\n${missing.map((line) => `  - ${line}`).join('\n')}`);
    this.missing = missing;
  }
}

/**
 * Does each of several things and then reports all that is missing at once.
 * @param {ReadonlyArray<() => Promise<unknown>>} works
 * @throws {NotReady}
 */
export async function collectMissing(works) {
  /** @type {string[]} */
  const missing = [];
  for (const work of works) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof NotReady)) throw error;
      missing.push(...error.missing);
    }
  }
  if (missing.length > 0) throw new NotReady(missing);
}

/**
 * Runs a script's main function; an error becomes its message and exit status 1.
 * @param {() => Promise<void>} main
 * @returns {Promise<void>}
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
