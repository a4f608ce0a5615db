/**
 * `pull` of a large image from a registry on this machine until it can be run, beside `podman pull` and `skopeo copy`, each from an empty
 * store; the memory that a layer of 1 GiB takes. Every one must have got the configuration with the right digest.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { parseManifest } from '../../src/images/config.ts';
import { readIndex, readJsonBlob } from '../../src/images/store.ts';
import { largeDebianImage } from '../../test/fixture/debian-root.ts';
import { startRegistry } from '../../test/fixture/registry/docker-registry.ts';
import { plainEnvironment } from '../environment.ts';
import { launcher } from '../home.ts';
import type { MeasureResult, Row } from '../result.ts';
import { rowOf } from '../rows.ts';
import type { Setting } from '../setting.ts';
import { inTurn } from '../turns.ts';

const GIB = 1024 ** 3;
const DEADLINE_MS = 600_000;
/** Half a minute each. */
const MOST_ROUNDS = 5;
const MEMORY_MIB = 200;

interface Puller {
  name: string;
  /** Pulls `image` of the registry into the empty directory `store`. */
  command: (image: string, store: string) => string[];
  /** Digest of the configuration of what it has got. */
  id: (image: string, store: string) => string | Promise<string>;
}

interface Pull {
  ms: number;
  peakMib: number;
}

const podman = (store: string): string[] => [
  'podman',
  `--root=${join(store, 'root')}`,
  `--runroot=${join(store, 'run')}`,
  '--storage-driver=overlay',
  '--runtime=runc',
  '--cgroup-manager=cgroupfs',
];

const copyQuietly = ['skopeo', 'copy', '-q', '--src-tls-verify=false'];

const pullers: readonly Puller[] = [
  {
    name: 'a3s-box',
    command: (image, store) => ['env', `A3S_HOME=${store}`, launcher, 'pull', '-q', image],
    id: (image, store) =>
      output(['env', `A3S_HOME=${store}`, launcher, 'image', 'inspect', '--format', '{{.Id}}', image]),
  },
  {
    name: 'podman',
    command: (image, store) => [...podman(store), 'pull', '-q', '--tls-verify=false', image],
    id: (image, store) => output([...podman(store), 'images', '-q', '--no-trunc', image]),
  },
  {
    // Downloads, and unpacks nothing.
    name: 'skopeo',
    command: (image, store) => [...copyQuietly, `docker://${image}`, `oci:${store}/layout:x`],
    id: (_image, store) => configOf(join(store, 'layout'), 'x'),
  },
];

export async function pull(setting: Setting, rounds: number): Promise<MeasureResult> {
  const registry = await startRegistry();
  const count = Math.min(rounds, MOST_ROUNDS);
  const publish = async (layout: string, tag: string, name: string): Promise<string> => {
    const image = `${registry.domain}/bench/${name}:latest`;
    const source = `oci:${layout}:${tag}`;
    await output(['skopeo', 'copy', '-q', '--dest-tls-verify=false', source, `docker://${image}`]);
    return image;
  };
  try {
    const { layout } = await largeDebianImage();
    const gib = await oneLayer(setting);
    return {
      rows: [
        ...(await pulled(setting, count, {
          what: 'pull of a large image',
          image: await publish(layout, 'web', 'large'),
          id: configOf(layout, 'web'),
        })),
        ...(await pulled(setting, 1, {
          what: 'pull of one layer of 1 GiB',
          image: await publish(gib, 'gib', 'gib'),
          id: configOf(gib, 'gib'),
        })),
      ],
    };
  } finally {
    await registry.close();
  }
}

/** In turn, beside podman; what skopeo takes only to download is a row of its own. */
async function pulled(
  setting: Setting,
  rounds: number,
  { what, image, id }: { what: string; image: string; id: string },
): Promise<Row[]> {
  // The first round fills the page cache with the programs and the registry's blobs.
  const [mine = [], theirs = [], download = []] = await inTurn(pullers.length, rounds, 1, (index) => {
    const puller = pullers[index];
    if (puller === undefined) throw new Error('no such puller');
    return pullOnce(setting, puller, image, id);
  });
  const ms = (pulls: Pull[]): number[] => pulls.map((each) => each.ms);
  const mib = (pulls: Pull[]): number[] => pulls.map((each) => each.peakMib);
  return [
    rowOf(what, 'ms', ms(mine), {
      beside: { name: 'podman', values: ms(theirs) },
      goal: { most: 1.2, of: 'ratio' },
    }),
    rowOf(`${what}, beside the download alone`, 'ms', ms(mine), {
      beside: { name: 'skopeo', values: ms(download) },
    }),
    rowOf(`${what}: peak memory of the largest process`, 'MiB', mib(mine), {
      beside: { name: 'podman', values: mib(theirs) },
      goal: { most: MEMORY_MIB, of: 'value' },
    }),
  ];
}

/** An OCI layout with an image of one layer that holds 1 GiB, half of it noise, half of it text. */
async function oneLayer({ dir }: Setting): Promise<string> {
  const layout = join(dir, 'gib');
  const files = join(dir, 'files');
  mkdirSync(files);
  await output(['sh', '-c', `head -c ${GIB / 2} /dev/urandom > '${files}/noise'`]);
  await output(['sh', '-c', `yes 'a line of text' | head -c ${GIB / 2} > '${files}/text'`]);
  await output(['umoci', 'init', '--layout', layout]);
  await output(['umoci', 'new', '--image', `${layout}:gib`]);
  await output(['umoci', 'insert', '--image', `${layout}:gib`, files, '/data']);
  rmSync(files, { recursive: true });
  return layout;
}

/** One pull into an empty store. @throws Error when it fails, or has got something else than the image with this ID. */
async function pullOnce({ dir }: Setting, puller: Puller, image: string, id: string): Promise<Pull> {
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

function configOf(layout: string, tag: string): string {
  const entry = readIndex(layout).find(
    ({ annotations }) => annotations['org.opencontainers.image.ref.name'] === tag,
  );
  if (entry === undefined) throw new Error(`${layout} has no ${tag}`);
  return parseManifest(readJsonBlob(layout, entry)).config.digest;
}

/** Never a synchronous call: the registry would block on what nobody reads of it. */
async function output([program = '', ...args]: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, {
    timeout: DEADLINE_MS,
    env: plainEnvironment(),
  });
  return stdout.trim();
}
