/** A state directory of the product's, and commands on it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { readBoxes } from '../src/state/boxes-file.ts';
import { layoutOf, type Layout } from '../src/state/layout.ts';
import type { BoxRecord } from '../src/state/record.ts';
import { plainEnvironment } from './environment.ts';
import { processesNaming } from './footprint.ts';
import type { Contender } from './measure.ts';
import { until } from '../test/e2e/fixture/until.ts';

export const IMAGE = 'a3s/base';
const TEMPLATE_MS = 240_000;
const LAST_STEPS_MS = 15_000;
const TALK_BYTES = 2 ** 26;

export const root = join(import.meta.dirname, '..');
export const launcher = join(root, 'bin', 'a3s-box');

export class Home {
  readonly home: string;
  readonly layout: Layout;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.home = directory;
    this.layout = layoutOf(directory);
  }

  ours(...words: string[]): Contender {
    return {
      name: `a3s-box ${words.join(' ')}`,
      command: [launcher, ...words],
      env: { A3S_HOME: this.home },
    };
  }

  /** As any home that has been used: the image, its templates, compiled code. */
  async warmUp(): Promise<void> {
    tell(this.ours('run', '--rm', IMAGE, 'true'));
    await this.imageTemplate();
  }

  /** The first box's monitor makes the image template when its box has ended. */
  async imageTemplate(): Promise<void> {
    await until('the image template', () => this.imageTemplates().length > 0, TEMPLATE_MS);
  }

  /** Directories of the finished templates of images. */
  imageTemplates(): string[] {
    const { templatesDir } = this.layout;
    const finished = (name: string): boolean =>
      name.startsWith('image-') && existsSync(join(templatesDir, name, 'template.json'));
    return readdirSync(templatesDir)
      .filter(finished)
      .map((name) => join(templatesDir, name));
  }

  /** The record of a box that was never started, to make others like it; the box is gone again. */
  async model(): Promise<BoxRecord> {
    const name = tell(this.ours('create', IMAGE, 'true'));
    const box = (await readBoxes(this.layout)).find(({ id }) => id === name);
    tell(this.ours('rm', name));
    if (box === undefined) throw new Error('no box to copy');
    return box;
  }

  removeOurBoxes(): void {
    const mine = tell(this.ours('ps', '-aq')).split('\n').filter(Boolean);
    if (mine.length > 0) tell(this.ours('rm', '-f', ...mine));
  }

  /** The directory with everything in it. @throws Error when a process of it does not end */
  async remove(): Promise<void> {
    const running = tell(this.ours('ps', '-q')).split('\n').filter(Boolean);
    if (running.length > 0) tell(this.ours('rm', '-f', ...running));
    await until(
      'the end of every process',
      () => processesNaming(`${this.home}/`).length === 0,
      LAST_STEPS_MS,
    );
    rmSync(this.home, { recursive: true });
  }
}

/** Runs a command that is not measured; returns what it says. @throws Error when it fails */
export function tell({ command, env }: Contender): string {
  const [program = '', ...args] = command;
  const options = {
    env: { ...plainEnvironment(), ...env },
    maxBuffer: TALK_BYTES,
    encoding: 'utf8',
  } as const;
  return execFileSync(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}
