import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { updateLists } from '../setup/apt.mjs';
import { run } from '../setup/process.mjs';

/** A Debian package file kept in the build cache. */
export interface Deb {
  file: string;
  package: string;
  version: string;
}

/**
 * The kernel package that `linux-image-amd64` stands for today. The cloud flavour would be smaller, but it
 * has no 9p. A package once in the cache stays in use, so that builds repeat; delete the cache to renew it.
 */
export async function kernelPackage(cache: string): Promise<Deb> {
  return (await cached(cache, /^linux-image-[\d.]+-\d+-amd64$/)) ?? download(cache, await currentKernel());
}

/** Debian's statically linked busybox. */
export async function busyboxPackage(cache: string): Promise<Deb> {
  return (await cached(cache, /^busybox-static$/)) ?? download(cache, 'busybox-static');
}

/** Unpacks members of a package (names begin with `./`, wildcards match) below a directory. */
export async function unpack(deb: Deb, directory: string, members: readonly string[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const tar = join(directory, 'data.tar');
  await run('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" > "$2"', 'sh', deb.file, tar]);
  await run('tar', ['-xf', tar, '-C', directory, '--no-same-owner', '--wildcards', ...members]);
  await rm(tar);
}

async function currentKernel(): Promise<string> {
  const lookUp = async () => {
    const depends = await run('apt-cache', ['depends', 'linux-image-amd64']).catch(() => '');
    return /Depends: (linux-image-\S+)/.exec(depends.toString())?.[1];
  };
  const name = (await lookUp()) ?? ((await updateLists()) ? await lookUp() : undefined);
  if (name === undefined) throw new Error('apt knows no linux-image-amd64: run apt-get update');
  return name;
}

async function cached(cache: string, wanted: RegExp): Promise<Deb | undefined> {
  const names = await readdir(cache).catch(() => []);
  const debs = names.filter((name) => name.endsWith('.deb')).map((name) => parse(cache, name));
  return debs.find((deb) => wanted.test(deb.package));
}

async function download(cache: string, name: string): Promise<Deb> {
  const partial = join(cache, `partial-${process.pid}`);
  await mkdir(partial, { recursive: true });
  const fetchPackage = () => run('apt-get', ['download', '-q', name], { cwd: partial });
  try {
    // A mirror drops old versions: package lists that still name them have to be renewed first.
    await fetchPackage().catch(async (error: unknown) => {
      if (!(await updateLists())) throw error;
      await fetchPackage();
    });
    const file = (await readdir(partial)).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new Error(`apt-get download ${name} left no package`);
    await rename(join(partial, file), join(cache, file));
    return parse(cache, file);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Debian file names are `package_version_architecture.deb`, with `:` escaped. */
function parse(cache: string, name: string): Deb {
  const [packageName = '', version = ''] = name.split('_');
  return { file: join(cache, name), package: packageName, version: decodeURIComponent(version) };
}
