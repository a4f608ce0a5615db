/** Work that several stages ask for at a time is done once. */

export class Once<T> {
  readonly #running = new Map<string, Promise<T>>();

  /** The result of the work under this key: of the one that is under way or, if it is kept, was. */
  do(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#running.get(key);
    if (known !== undefined) return known;
    const begun = work();
    this.#running.set(key, begun);
    // Whoever asks again after a failure tries again.
    begun.catch(() => this.#running.delete(key));
    return begun;
  }
}

/** At most so many pieces of work at a time; the others wait in the order in which they came, those that are urgent first. */
export class Slots {
  #free: number;
  readonly #urgent: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async hold<T>(work: () => Promise<T>, isUrgent = false): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => (isUrgent ? this.#urgent : this.#waiting).push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#urgent.shift() ?? this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
