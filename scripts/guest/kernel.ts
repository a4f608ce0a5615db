import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { contentHash } from '../setup/content-hash.mjs';
import { run } from '../setup/process.mjs';
import { type Deb, unpack } from './debian.ts';
import { moduleFiles, wantedModules } from './modules.ts';

/** The parts of a kernel package a guest needs, unpacked below `directory`. */
export interface Kernel {
  version: string;
  /** Uncompressed ELF with a PVH entry: QEMU starts it without a boot loader or self-extraction. */
  vmlinux: string;
  /** Module files in the order they are to be loaded. */
  modules: string[];
  copyright: string;
}

/** Unpacks a kernel package once; later calls find the result in the cache. */
export async function kernelFrom(deb: Deb, cache: string): Promise<Kernel> {
  const key = await contentHash(import.meta.dirname, ['kernel.ts', 'modules.ts'], [deb.package, deb.version]);
  const directory = join(cache, `kernel-${key.slice(0, 16)}`);
  const done = await readdir(directory).catch(() => []);
  if (done.length === 0) await extract(deb, directory);
  const modules = await readdir(join(directory, 'modules'));
  return {
    version: deb.package.replace('linux-image-', ''),
    vmlinux: join(directory, 'vmlinux'),
    modules: modules.toSorted().map((name) => join(directory, 'modules', name)),
    copyright: join(directory, 'copyright'),
  };
}

async function extract(deb: Deb, directory: string): Promise<void> {
  const partial = `${directory}.${process.pid}`;
  const tree = join(partial, 'tree');
  const version = deb.package.replace('linux-image-', '');
  try {
    const copyright = `./usr/share/doc/${deb.package}/copyright`;
    // Debian is moving /lib to /usr/lib: either may hold the modules.
    await unpack(deb, tree, ['./boot/vmlinuz-*', '*/lib/modules/*', copyright]);
    const usr = (await readdir(tree)).includes('lib') ? tree : join(tree, 'usr');
    await run('depmod', ['--basedir', usr, version]);
    const moduleRoot = join(usr, 'lib', 'modules', version);
    const list = (name: string) => readFile(join(moduleRoot, name), 'utf8');
    const files = moduleFiles(await list('modules.dep'), await list('modules.builtin'), wantedModules);
    await mkdir(join(partial, 'modules'));
    await Promise.all(
      files.map(async (file, index) => {
        const name = file.replace(/^.*\//, '').replace(/\.ko(\..*)?$/, '.ko');
        const target = join(partial, 'modules', `${String(index).padStart(3, '0')}-${name}`);
        await writeFile(target, await decompress(await readFile(join(moduleRoot, file)), partial));
      }),
    );
    const image = await readFile(join(tree, 'boot', `vmlinuz-${version}`));
    await writeFile(join(partial, 'vmlinux'), await decompress(payload(image), partial));
    await rename(join(tree, copyright), join(partial, 'copyright'));
    await rm(tree, { recursive: true });
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** The compressed kernel inside a bzImage: Linux's Documentation/arch/x86/boot.rst, `payload_offset`. */
export function payload(image: Buffer): Buffer {
  if (image.toString('latin1', 0x202, 0x206) !== 'HdrS') throw new Error('the kernel is not a bzImage');
  const setupSectors = image.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  // The build appends the uncompressed size as four bytes, which is no part of the stream.
  return image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
}

async function decompress(data: Buffer, directory: string): Promise<Buffer> {
  const magic = data.toString('hex', 0, 4);
  if (magic === '7f454c46') return data;
  if (magic.startsWith('1f8b')) return gunzipSync(data);
  if (magic === '28b52ffd') return zstdDecompressSync(data);
  if (magic !== 'fd377a58') throw new Error(`unknown compression (magic ${magic})`);
  const file = join(directory, `packed-${Math.random().toString(36).slice(2)}.xz`);
  await writeFile(file, data);
  try {
    return await run('xz', ['--decompress', '--stdout', '--single-stream', file]);
  } finally {
    await rm(file);
  }
}
