/** Contenders in turn, in an order that changes, so that whatever else the machine does falls on all of them. */

/**
 * Lets each of `contenders` work once a round; every other round goes backwards. Rounds of warm-up have negative numbers and do not count.
 * @param work measures the contender with this index once
 * @returns the figures of each contender, round by round
 */
export async function inTurn<T>(
  contenders: number,
  rounds: number,
  warmUp: number,
  work: (contender: number, round: number) => Promise<T>,
): Promise<T[][]> {
  const figures = Array.from({ length: contenders }, (): T[] => []);
  for (let round = -warmUp; round < rounds; round += 1) {
    const order = [...figures.entries()];
    for (const [index, own] of round % 2 === 0 ? order : order.toReversed()) {
      const figure = await work(index, round);
      if (round >= 0) own.push(figure);
    }
  }
  return figures;
}
