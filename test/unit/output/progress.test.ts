import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { noProgress, progressOn } from '../../../src/output/progress.ts';
import { screenOf } from '../../fixture/screen.ts';

function target(size?: { columns: number; rows: number }) {
  const written: string[] = [];
  const write = (text: string): unknown => written.push(text);
  return { ...(size === undefined ? {} : { isTTY: true, ...size }), write, written };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('elsewhere than on a terminal: a line for each new status, none for bytes', () => {
  const to = target();
  const progress = progressOn(to);
  progress.line('1: Pulling from x');
  progress.layer('aaaa', 'Pulling fs layer');
  progress.layer('aaaa', 'Downloading', { done: 1, total: 2 });
  progress.layer('bbbb', 'Pulling fs layer');
  progress.layer('aaaa', 'Download complete');
  progress.layer('aaaa', 'Download complete');
  progress.end();
  vi.runAllTimers();
  expect(to.written.join('')).toBe(
    '1: Pulling from x\naaaa: Pulling fs layer\nbbbb: Pulling fs layer\naaaa: Download complete\n',
  );
});

test('no progress is none', () => {
  noProgress.line('x');
  noProgress.layer('a', 'Downloading');
  noProgress.end();
});

describe('on a terminal', () => {
  test('bars are drawn anew in place, and the last state stays', () => {
    const to = target({ columns: 80, rows: 24 });
    const progress = progressOn(to);
    progress.line('1: Pulling from x');
    progress.layer('aaaa', 'Pulling fs layer');
    progress.layer('bbbb', 'Waiting');
    vi.advanceTimersByTime(100);
    for (let done = 0; done <= 1_000_000; done += 250_000) {
      progress.layer('aaaa', 'Downloading', { done, total: 1_000_000 });
      vi.advanceTimersByTime(1000);
      const [, layer = ''] = screenOf(to.written.join(''), 80);
      expect(layer).toMatch(/^aaaa: Downloading \[=*>? *\] {2}[\d.]+k?M?B\/1MB/);
    }
    progress.layer('aaaa', 'Pull complete');
    progress.layer('bbbb', 'Already exists');
    progress.line('Digest: sha256:…');
    progress.end();
    expect(screenOf(to.written.join(''), 80)).toEqual([
      '1: Pulling from x',
      'aaaa: Pull complete',
      'bbbb: Already exists',
      'Digest: sha256:…',
      '',
    ]);
  });

  test('the speed is told once there is enough to tell it from', () => {
    const to = target({ columns: 100, rows: 24 });
    const progress = progressOn(to);
    progress.layer('aaaa', 'Downloading', { done: 500_000, total: 4_000_000 });
    vi.advanceTimersByTime(1000);
    progress.layer('aaaa', 'Downloading', { done: 2_500_000, total: 4_000_000 });
    progress.end();
    expect(screenOf(to.written.join(''), 100)[0]).toMatch(/\] {2}2\.5MB\/4MB {2}2MB\/s$/);
  });

  test.each([10, 25, 40, 50, 80, 200])('a line of %i columns does not wrap', (columns) => {
    const to = target({ columns, rows: 24 });
    const progress = progressOn(to);
    for (const id of ['aaaaaaaaaaaa', 'bbbbbbbbbbbb']) {
      progress.layer(id, 'Pulling fs layer');
      progress.layer(id, 'Downloading', { done: 123_456_789, total: 987_654_321 });
      vi.advanceTimersByTime(1000);
      progress.layer(id, 'Downloading', { done: 987_654_321, total: 987_654_321 });
      vi.advanceTimersByTime(1000);
    }
    progress.end();
    // Throws for a line that wraps.
    expect(screenOf(to.written.join(''), columns)).toHaveLength(3);
  });

  test('of more layers than rows the last are drawn, and the cursor never goes above the screen', () => {
    const to = target({ columns: 80, rows: 5 });
    const progress = progressOn(to);
    for (let n = 0; n < 12; n += 1) progress.layer(`layer${n}`, 'Waiting');
    vi.advanceTimersByTime(100);
    for (let n = 0; n < 12; n += 1) progress.layer(`layer${n}`, 'Pull complete');
    progress.end();
    const ups = [...to.written.join('').matchAll(/\[(\d+)A/g)].map(([, lines]) => Number(lines));
    expect(Math.max(...ups)).toBeLessThan(5);
    expect(screenOf(to.written.join(''), 80)).toEqual([
      ...[8, 9, 10, 11].map((n) => `layer${n}: Pull complete`),
      '',
    ]);
  });

  test('many news make few drawings', () => {
    const to = target({ columns: 80, rows: 24 });
    const progress = progressOn(to);
    for (let done = 0; done < 10_000; done += 1)
      progress.layer('aaaa', 'Downloading', { done, total: 10_000 });
    vi.advanceTimersByTime(100);
    progress.end();
    expect(to.written.length).toBeLessThan(4);
  });
});
