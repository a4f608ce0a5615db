/** A few things at a time. */

/**
 * Runs `work` for every item, `limit` at a time, in order. After a failure nothing new is begun, and what is under way is told to
 * end and waited for, so that nothing goes on behind the caller's back.
 * @throws the first failure.
 */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const both = AbortSignal.any([signal, failure.signal]);
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      both.throwIfAborted();
      await work(item, both);
    }
  };
  const workers = Array.from({ length: Math.min(limit, items.length) }, async () => {
    try {
      await worker();
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  });
  const results = await Promise.allSettled(workers);
  if (failure.signal.aborted) throw failure.signal.reason;
  const rejected = results.find((result) => result.status === 'rejected');
  if (rejected !== undefined) throw rejected.reason;
}
