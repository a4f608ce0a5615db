/**
 * A source that is given up when the signal says so, even while it has nothing to say: a generator that waits for a terminal
 * could not be ended otherwise. The source is told to end and not waited for.
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const pieces = source[Symbol.asyncIterator]();
  // One at a time: promises raced against one that never settles would all be kept.
  let giveUp: (reason: unknown) => void = () => undefined;
  const onAbort = (): void => giveUp(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const { value, done } = await new Promise<IteratorResult<T>>((resolve, reject) => {
        giveUp = reject;
        pieces.next().then(resolve, reject);
      });
      if (done === true) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    pieces.return?.().catch(() => undefined);
  }
}
