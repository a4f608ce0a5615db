/** How commands grow with what the state directory holds: images, layers of an image, records of stopped boxes. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Home } from '../home.ts';
import { makeImages } from '../many-images.ts';
import { compare, expects, time, type Contender } from '../measure.ts';
import type { Curve, MeasureResult, Row } from '../result.ts';
import { rowOf } from '../rows.ts';
import { IMAGE, STAYS, type Setting } from '../setting.ts';
import { makeStoppedBoxes } from '../stopped-boxes.ts';
import { inTurn } from '../turns.ts';

const IMAGES = [10, 100, 500];
const LAYERS = [1, 20, 60];
const LISTED = 100;
const RECORDS = 1000;
/** Milliseconds that 500 images may cost beyond Node's own. */
const LISTING_MS = 50;

/** A command by how much there is beside it. */
interface Grower {
  verb: string;
  at: (size: number) => Contender;
}

/** All sizes in turn; each row is beside the smallest. */
async function grown(
  what: string,
  sizes: readonly number[],
  { verb, at }: Grower,
  rounds: number,
): Promise<{ rows: Row[]; line: Curve['lines'][number] }> {
  const contenders = sizes.map(at);
  const figures = await inTurn(contenders.length, rounds, 1, (index) => {
    const contender = contenders[index];
    if (contender === undefined) throw new Error('no such contender');
    return time(contender);
  });
  const [least = []] = figures;
  const rows = figures.map((values, n) =>
    rowOf(
      `${verb}, ${sizes[n]} ${what}`,
      'ms',
      values,
      n === 0 ? {} : { beside: { name: `with ${sizes[0]}`, values: least } },
    ),
  );
  const points = rows.map((row, n): [number, number] => [sizes[n] ?? 0, row.ours.median]);
  return { rows, line: { name: verb, points } };
}

async function curves(
  what: string,
  sizes: readonly number[],
  growers: readonly Grower[],
  rounds: number,
): Promise<{ rows: Row[]; curves: Curve[] }> {
  const rows: Row[] = [];
  const lines: Curve['lines'] = [];
  for (const grower of growers) {
    const { rows: own, line } = await grown(what, sizes, grower, rounds);
    rows.push(...own);
    lines.push(line);
  }
  return { rows, curves: [{ title: `With more ${what}`, x: what, y: 'ms', lines }] };
}

/** `run`, `ps` and `images` with few and with many images in the store. */
export async function withImages(setting: Setting, rounds: number): Promise<MeasureResult> {
  const homes = await homesOf(setting, 'images', IMAGES);
  try {
    for (const [count, home] of homes) await makeImages(home.home, count);
    const at = (count: number): Home => homes.get(count) ?? setting;
    const run = ['run', '--rm', IMAGE, 'true'];
    // a3s/base is one more, and the heading.
    const lines = (count: number): RegExp => new RegExp(`^(?:.+\n){${count + 2}}$`);
    const result = await curves(
      'images',
      IMAGES,
      [
        { verb: 'run --rm', at: (count) => ({ ...at(count).ours(...run), after: expects('') }) },
        { verb: 'ps', at: (count) => ({ ...at(count).ours('ps'), after: expects(/^CONTAINER ID.*\n$/) }) },
        { verb: 'images', at: (count) => ({ ...at(count).ours('images'), after: expects(lines(count)) }) },
      ],
      rounds,
    );
    const most = IMAGES.at(-1) ?? 0;
    const { times } = await compare([at(most).ours('images'), setting.bareNode], rounds);
    const [ours, node] = times;
    const beyond = (ours?.median ?? Number.NaN) - (node?.median ?? Number.NaN);
    const row = rowOf(`images, ${most} images, beyond node -e 0`, 'ms', [beyond], {
      goal: { most: LISTING_MS, of: 'value' },
    });
    return { ...result, rows: [...result.rows, row] };
  } finally {
    for (const home of homes.values()) await home.remove();
  }
}

/** `run` and `load` of images of few and of many layers, and a list of such images. */
export async function withLayers(setting: Setting, rounds: number): Promise<MeasureResult> {
  const homes = await homesOf(setting, 'layers', LAYERS);
  const at = (layers: number): Home => homes.get(layers) ?? setting;
  const archives = new Map(LAYERS.map((layers) => [layers, join(setting.dir, `layers-${layers}.tar`)]));
  try {
    for (const [layers, home] of homes) {
      await makeImages(home.home, LISTED, layers);
      const context = join(setting.dir, `layers-${layers}-context`);
      mkdirSync(context);
      // The base has one.
      const steps = Array.from({ length: layers - 1 }, (_, n) => `COPY file /layers/${n}`);
      writeFileSync(join(context, 'file'), 'of a layer\n');
      writeFileSync(join(context, 'Dockerfile'), [`FROM ${IMAGE}`, ...steps, ''].join('\n'));
      setting.tell(home.ours('build', '-q', '-t', 'layers', context));
      rmSync(context, { recursive: true });
      setting.tell(home.ours('save', '-o', archives.get(layers) ?? '', 'layers'));
      // Its template, as after any first run.
      setting.tell(home.ours('run', '--rm', 'layers', 'true'));
    }
    const count = 'ls /layers 2>/dev/null | wc -l';
    return await curves(
      'layers',
      LAYERS,
      [
        {
          verb: 'run --rm',
          at: (layers) => ({
            ...at(layers).ours('run', '--rm', 'layers', 'sh', '-c', count),
            after: expects(`${layers - 1}\n`),
          }),
        },
        {
          verb: `images of ${LISTED}`,
          at: (layers) => ({ ...at(layers).ours('images'), after: expects(/\nlayers /) }),
        },
        {
          verb: 'load',
          at: (layers) => ({
            ...at(layers).ours('load', '-q', '-i', archives.get(layers) ?? ''),
            before: () => void setting.tell(at(layers).ours('rmi', '-f', 'layers')),
            after: expects(/layers/),
          }),
        },
      ],
      rounds,
    );
  } finally {
    for (const home of homes.values()) await home.remove();
    for (const archive of archives.values()) rmSync(archive, { force: true });
  }
}

/** `run`, `exec` and `rm` beside a thousand records of stopped boxes. */
export async function withRecords(setting: Setting, rounds: number): Promise<MeasureResult> {
  const sizes = [0, RECORDS];
  const homes = await homesOf(setting, 'records', sizes);
  const at = (count: number): Home => homes.get(count) ?? setting;
  try {
    await makeStoppedBoxes(at(RECORDS).home, await at(RECORDS).model(), RECORDS);
    for (const home of homes.values())
      setting.tell(home.ours('run', '-d', '--name', 'bench', IMAGE, ...STAYS));
    const run = ['run', '--rm', IMAGE, 'true'];
    return await curves(
      'stopped boxes',
      sizes,
      [
        { verb: 'run --rm', at: (count) => ({ ...at(count).ours(...run), after: expects('') }) },
        { verb: 'exec', at: (count) => ({ ...at(count).ours('exec', 'bench', 'true'), after: expects('') }) },
        {
          verb: 'rm',
          at: (count) => ({
            ...at(count).ours('rm', 'gone'),
            before: () => void setting.tell(at(count).ours('create', '--name', 'gone', IMAGE, 'true')),
            after: expects('gone\n'),
          }),
        },
      ],
      rounds,
    );
  } finally {
    for (const home of homes.values()) await home.remove();
  }
}

async function homesOf(setting: Setting, name: string, sizes: readonly number[]): Promise<Map<number, Home>> {
  const homes = new Map<number, Home>();
  for (const size of sizes) homes.set(size, await setting.otherHome(`${name}-${size}`));
  return homes;
}
