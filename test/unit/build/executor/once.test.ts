import { describe, expect, it } from 'vitest';

import { Once, Slots } from '../../../../src/build/executor/once.ts';

describe('work done once', () => {
  it('is shared by those who ask while it goes on and after', async () => {
    const once = new Once<number>();
    let count = 0;
    const work = async (): Promise<number> => {
      await Promise.resolve();
      count += 1;
      return count;
    };
    expect(await Promise.all([once.do('a', work), once.do('a', work)])).toEqual([1, 1]);
    expect(await once.do('a', work)).toBe(1);
    expect(await once.do('b', work)).toBe(2);
  });

  it('is tried again after it failed', async () => {
    const once = new Once<number>();
    await expect(once.do('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await once.do('a', () => Promise.resolve(1))).toBe(1);
  });
});

describe('slots', () => {
  it('let urgent work in first, so that what was begun is ended before more is begun', async () => {
    const slots = new Slots(1);
    const order: string[] = [];
    const note = (name: string) => async () => void order.push(name);
    await Promise.all([
      slots.hold(note('running')),
      slots.hold(note('new')),
      slots.hold(note('newer')),
      slots.hold(note('urgent'), true),
    ]);
    expect(order).toEqual(['running', 'urgent', 'new', 'newer']);
  });

  it('let so many in at a time, in order, and go on after a failure', async () => {
    const slots = new Slots(2);
    let inside = 0;
    const most: number[] = [];
    const order: number[] = [];
    const works = [0, 1, 2, 3, 4].map((n) =>
      slots.hold(async () => {
        order.push(n);
        inside += 1;
        most.push(inside);
        await Promise.resolve();
        inside -= 1;
        if (n === 1) throw new Error('one fails');
      }),
    );
    const results = await Promise.allSettled(works);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ]);
    expect(Math.max(...most)).toBe(2);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });
});
