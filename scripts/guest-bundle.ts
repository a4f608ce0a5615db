/**
 * Builds the guest bundle, dist/guest/: the kernel, the initial root with the agent, the blank disk, the
 * embedded image, and a manifest with the hashes of all of them. `npm run guest`.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { buildAgent } from './guest/agent.ts';
import { baseImageName, writeBaseImage } from './guest/base-image.ts';
import { busyboxPackage, type Deb, kernelPackage, unpack } from './guest/debian.ts';
import { initramfs } from './guest/initramfs.ts';
import { kernelFrom } from './guest/kernel.ts';
import { makeScratch, scratchSize } from './guest/scratch.ts';
import { contentHash } from './setup/content-hash.mjs';

const root = join(import.meta.dirname, '..');
const cache = join(root, '.cache', 'guest');
const bundle = join(root, 'dist', 'guest');

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const kernelDeb = await kernelPackage(cache);
  const busyboxDeb = await busyboxPackage(cache);
  const inputs = await contentHash(
    root,
    ['guest', 'scripts/guest', 'scripts/guest-bundle.ts'],
    [kernelDeb.package, kernelDeb.version, busyboxDeb.version, process.version],
  );
  const present = await upToDate(inputs);
  if (!present) await build(kernelDeb, busyboxDeb, inputs);
  console.log(present ? 'up to date' : 'built');
}

async function build(kernelDeb: Deb, busyboxDeb: Deb, inputs: string): Promise<void> {
  const target = join(root, 'dist', `guest.${process.pid}`);
  const temporary = join(cache, `build-${process.pid}`);
  await mkdir(join(target, 'licences'), { recursive: true });
  await mkdir(temporary, { recursive: true });
  try {
    const agent = await buildAgent(root);
    const kernel = await kernelFrom(kernelDeb, cache);
    await copyFile(kernel.vmlinux, join(target, 'vmlinux'));
    await writeFile(join(target, 'initramfs'), await initramfs(agent.binary, kernel.modules));
    await writeFile(join(target, 'tsc-khz'), agent.tscKhz, { mode: 0o755 });
    await makeScratch(join(target, 'scratch.qcow2'), temporary);

    const copyright = 'usr/share/doc/busybox-static/copyright';
    await unpack(busyboxDeb, temporary, ['./bin/busybox', `./${copyright}`]);
    const digest = await writeBaseImage(
      join(temporary, 'bin/busybox'),
      busyboxDeb.version,
      join(target, 'images'),
    );

    await copyFile(kernel.copyright, join(target, 'licences', 'linux.txt'));
    await copyFile(join(temporary, copyright), join(target, 'licences', 'busybox.txt'));
    await writeFile(join(target, 'licences', 'agent.txt'), agent.licences);
    const manifest = {
      format: 1,
      architecture: 'x86_64',
      kernelVersion: kernel.version,
      agentVersion: agent.version,
      debianPackages: [kernelDeb, busyboxDeb].map((deb) => `${deb.package} ${deb.version}`),
      modules: kernel.modules.map((file) => file.replace(/^.*\/\d+-/, '').replace(/\.ko$/, '')),
      scratchBytes: scratchSize,
      images: [{ name: baseImageName, digest }],
      inputs,
      files: await describeFiles(target),
    };
    await writeFile(join(target, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    await replaceBundle(target);
  } finally {
    await rm(target, { recursive: true, force: true });
    await rm(temporary, { recursive: true, force: true });
  }
}

/** VMs that run from the old bundle keep its files open; new ones find one bundle or the other, whole. */
async function replaceBundle(target: string): Promise<void> {
  const old = `${target}.old`;
  await rename(bundle, old).catch(() => undefined);
  await rename(target, bundle);
  await rm(old, { recursive: true, force: true });
}

async function describeFiles(directory: string): Promise<Record<string, { sha256: string; size: number }>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const described = files.toSorted().map(async (file) => {
    const content = await readFile(file);
    const sha256 = createHash('sha256').update(content).digest('hex');
    return [relative(directory, file), { sha256, size: content.length }] as const;
  });
  return Object.fromEntries(await Promise.all(described));
}

/** Whether the present bundle came from the same inputs and is whole, judged by the size of its files. */
async function upToDate(inputs: string): Promise<boolean> {
  try {
    const manifest: { inputs: string; files: Record<string, { size: number }> } = JSON.parse(
      await readFile(join(bundle, 'manifest.json'), 'utf8'),
    );
    const files = Object.entries(manifest.files);
    const sizes = await Promise.all(files.map(async ([name]) => (await stat(join(bundle, name))).size));
    return manifest.inputs === inputs && files.every(([, file], index) => file.size === sizes[index]);
  } catch {
    return false;
  }
}
