/** Results as a table for a terminal, as one for a document, and as figures with their plots. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { barChart, lineChart } from './svg.ts';
import { isMet, type NamedResult, type Row } from './result.ts';
import type { Statistics } from './statistics.ts';

const HEADINGS = ['', 'a3s-box', 'p95', 'beside', 'p95', 'ratio', 'goal'];
const WIDTHS = [58, 12, 10, 22, 10, 8, 16];

/** Lines for a terminal. */
export function asText({ title, rows, notes = [] }: NamedResult): string {
  const lines = [HEADINGS, ...rows.map(cells)].map((row) =>
    row
      .map((cell, n) => pad(cell, n))
      .join(' ')
      .trimEnd(),
  );
  return [title, ...lines, ...notes].join('\n');
}

/** A table in Markdown; a measure that failed is a row of it too. */
export function asMarkdown(results: readonly NamedResult[]): string {
  const rows = results.flatMap(({ title, failed, rows: own }) =>
    failed === undefined ? own.map(cells) : [[title, 'FAILED', '', '', '', '', '']],
  );
  return table(HEADINGS, rows);
}

/** Every goal, with what was measured, in Markdown. */
export function goalsAsMarkdown(results: readonly NamedResult[]): string {
  const rows = results.flatMap(({ title, failed, rows: own }) =>
    failed === undefined
      ? own.filter(({ goal }) => goal !== undefined).map(goalCells)
      : [[title, '', '', 'FAILED']],
  );
  return table(['', 'goal', 'measured', ''], rows);
}

function goalCells(row: Row): string[] {
  const { what, unit, ours, beside, ratio = Number.NaN, goal } = row;
  const byRatio = goal?.of === 'ratio';
  return [
    byRatio ? `${what} ÷ ${beside?.name ?? ''}` : what,
    `≤ ${goal?.most ?? ''}`,
    byRatio ? ratio.toFixed(2) : figure(ours, unit),
    isMet(row) === true ? 'met' : 'MISSED',
  ];
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [headings, headings.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** Writes `results.json`, `results.md`, `goals.md` and the plots. */
export function keep(directory: string, results: readonly NamedResult[], facts: object): void {
  mkdirSync(directory, { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  write('results.json', `${JSON.stringify({ ...facts, results }, null, 2)}\n`);
  write('results.md', `${asMarkdown(results)}\n`);
  write('goals.md', `${goalsAsMarkdown(results)}\n`);
  const ratios = results.flatMap(({ rows }) => rows.filter(({ ratio }) => ratio !== undefined));
  if (ratios.length > 0) {
    const bars = ratios.map((row) => ({
      label: `${row.what} ÷ ${row.beside?.name ?? ''}`,
      value: row.ratio ?? Number.NaN,
      ...(row.goal?.of === 'ratio' ? { mark: row.goal.most } : {}),
    }));
    write('ratios.svg', barChart('Ratios: less is better; the mark is the goal', bars));
  }
  for (const { name, curves = [] } of results) {
    curves.forEach((curve, n) => write(`${name}${n === 0 ? '' : n}.svg`, lineChart(curve)));
  }
}

function cells(row: Row): string[] {
  const { what, unit, ours, beside, ratio, goal } = row;
  const met = isMet(row);
  const aim = goal === undefined ? '' : `≤ ${goal.most}: ${met === true ? 'met' : 'MISSED'}`;
  return [
    what,
    figure(ours, unit),
    spread(ours),
    beside === undefined ? '' : `${figure(beside.figures, unit)} ${beside.name}`,
    beside === undefined ? '' : spread(beside.figures),
    ratio === undefined ? '' : ratio.toFixed(2),
    aim,
  ];
}

function figure({ median }: Statistics, unit: string): string {
  const digits = Math.abs(median) < 10 && !Number.isInteger(median) ? 2 : 0;
  return `${median.toFixed(digits)} ${unit}`.trim();
}

function spread({ p95, count }: Statistics): string {
  return count < 2 ? '' : p95.toFixed(0);
}

function pad(cell: string, column: number): string {
  const width = WIDTHS[column] ?? 0;
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
