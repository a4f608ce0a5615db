import { expect, test } from 'vitest';

import { statisticsOf } from '../../../bench/statistics.ts';
import { barChart, lineChart, niceCeiling } from '../../../bench/svg.ts';
import { asMarkdown } from '../../../bench/report.ts';

test('figures of a row of numbers', () => {
  expect(statisticsOf([3])).toEqual({ median: 3, p95: 3, best: 3, worst: 3, count: 1 });
  expect(statisticsOf([4, 1, 3, 2])).toEqual({ median: 2.5, p95: 4, best: 1, worst: 4, count: 4 });
  const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
  expect(statisticsOf(hundred)).toEqual({ median: 50.5, p95: 95, best: 1, worst: 100, count: 100 });
});

test.each([
  [1, 1],
  [1.2, 2],
  [30, 50],
  [99, 100],
  [0.3, 0.5],
])('an axis for %d ends at %d', (value, end) => {
  expect(niceCeiling(value)).toBeCloseTo(end, 9);
});

test('a bar is as long as its value, and its mark is its goal', () => {
  const svg = barChart('Ratios', [
    { label: 'a & b', value: 0.5, mark: 1 },
    { label: 'c', value: 2 },
  ]);
  expect(svg).toContain(
    '<text x="372.0" y="54.0" fill="#7a7a7a" text-anchor="end" font-family="sans-serif" font-size="12">a &amp; b</text>',
  );
  expect(svg).toContain('<rect x="380" y="40" width="80.0" height="18" fill="#2f6fde"/>');
  expect(svg).toContain(
    '<polyline points="540.0,40.0 540.0,58.0" fill="none" stroke="#d9822b" stroke-width="3"/>',
  );
  expect(svg).toContain('<rect x="380" y="62" width="320.0" height="18" fill="#2f6fde"/>');
});

test('a line goes through its points', () => {
  const svg = lineChart({
    title: 'T',
    x: 'boxes',
    y: 'ms',
    lines: [
      {
        name: 'ours',
        points: [
          [0, 0],
          [10, 50],
          [100, 100],
        ],
      },
    ],
  });
  expect(svg).toContain(
    '<polyline points="60.0,300.0 128.0,172.0 740.0,44.0" fill="none" stroke="#2f6fde" stroke-width="2"/>',
  );
  expect(svg).toContain('>boxes</text>');
});

test('a table says what was compared, and whether a goal was met', () => {
  const row = {
    what: 'run',
    unit: 'ms',
    ours: statisticsOf([100, 120]),
    beside: { name: 'podman', figures: statisticsOf([200, 220]) },
    ratio: 0.5,
  };
  const rows = [
    { ...row, goal: { most: 0.8, of: 'ratio' as const } },
    { what: 'memory', unit: 'MiB', ours: statisticsOf([61.5]), goal: { most: 60, of: 'value' as const } },
  ];
  expect(
    asMarkdown([{ name: 'run', title: 'Runs', rows }])
      .split('\n')
      .slice(2),
  ).toEqual([
    '| run | 110 ms | 120 | 210 ms podman | 220 | 0.50 | ≤ 0.8: met |',
    '| memory | 62 MiB |  |  |  |  | ≤ 60: MISSED |',
  ]);
});
