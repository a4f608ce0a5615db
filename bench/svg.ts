/** Two kinds of plots as SVG, with nothing but text: pure. Readable on light and on dark ground. */
import type { Curve } from './result.ts';

export interface Bar {
  label: string;
  value: number;
  /** Where a line is drawn across the bar. */
  mark?: number;
}

const COLOURS = ['#2f6fde', '#d9822b', '#3a9d5d', '#b04fc4'];
const INK = '#7a7a7a';
const WIDTH = 760;
const FONT = 'font-family="sans-serif" font-size="12"';

const BAR_HEIGHT = 22;
const BAR_LEFT = 380;
const HEAD = 40;

/** Horizontal bars, from nought. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.flatMap(({ value, mark = 0 }) => [value, mark]), Number.MIN_VALUE);
  const scale = (WIDTH - BAR_LEFT - 60) / most;
  const height = HEAD + bars.length * BAR_HEIGHT + 10;
  const body = bars.flatMap(({ label, value, mark }, n) => {
    const y = HEAD + n * BAR_HEIGHT;
    const length = value * scale;
    const line =
      mark === undefined
        ? []
        : [
            stroke(
              [
                [BAR_LEFT + mark * scale, y],
                [BAR_LEFT + mark * scale, y + BAR_HEIGHT - 4],
              ],
              COLOURS[1] ?? INK,
              3,
            ),
          ];
    return [
      text(BAR_LEFT - 8, y + 14, label, 'end'),
      `<rect x="${BAR_LEFT}" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT - 4}" fill="${COLOURS[0]}"/>`,
      ...line,
      text(BAR_LEFT + Math.max(length, (mark ?? 0) * scale) + 6, y + 14, value.toFixed(2)),
    ];
  });
  return document(title, height, body);
}

const PLOT = { left: 60, right: 740, top: 44, bottom: 300 };
const STEPS = 4;

/** Lines over an axis of numbers, both axes from nought. */
export function lineChart({ title, x, y, lines }: Curve): string {
  const points = lines.flatMap((line) => line.points);
  const mostX = Math.max(...points.map(([at]) => at), Number.MIN_VALUE);
  const mostY = niceCeiling(Math.max(...points.map(([, at]) => at), Number.MIN_VALUE));
  const place = ([px, py]: [number, number]): [number, number] => [
    PLOT.left + (px / mostX) * (PLOT.right - PLOT.left),
    PLOT.bottom - (py / mostY) * (PLOT.bottom - PLOT.top),
  ];
  const grid = Array.from({ length: STEPS + 1 }, (_, step) => {
    const value = (mostY * step) / STEPS;
    const [, at] = place([0, value]);
    return [
      stroke(
        [
          [PLOT.left, at],
          [PLOT.right, at],
        ],
        INK,
        0.5,
      ),
      text(PLOT.left - 6, at + 4, short(value), 'end'),
    ];
  }).flat();
  const ticks = [...new Set(points.map(([at]) => at))].map((at) => {
    const [px] = place([at, 0]);
    return text(px, PLOT.bottom + 16, short(at), 'middle');
  });
  const drawn = lines.flatMap(({ name, points: own }, n) => {
    const colour = COLOURS[n % COLOURS.length] ?? INK;
    const places = own.map(place);
    return [
      stroke(places, colour, 2),
      ...places.map(
        ([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${colour}"/>`,
      ),
      `<rect x="${PLOT.left + 10 + n * 170}" y="${PLOT.bottom + 30}" width="12" height="12" fill="${colour}"/>`,
      text(PLOT.left + 28 + n * 170, PLOT.bottom + 40, name),
    ];
  });
  const axes = [text(PLOT.right, PLOT.bottom + 40, x, 'end'), text(PLOT.left - 6, PLOT.top - 8, y, 'end')];
  return document(title, PLOT.bottom + 54, [...grid, ...ticks, ...drawn, ...axes]);
}

function document(title: string, height: number, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<text x="12" y="22" fill="${INK}" font-family="sans-serif" font-size="15" font-weight="bold">${escape(title)}</text>`,
    ...body,
    '</svg>\n',
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor = 'start'): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${INK}" text-anchor="${anchor}" ${FONT}>${escape(content)}</text>`;
}

function stroke(points: readonly [number, number][], colour: string, width: number): string {
  const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${width}"/>`;
}

/** The next number that begins with 1, 2 or 5. */
export function niceCeiling(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((each) => each * unit >= value) ?? 10;
  return factor * unit;
}

function short(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
