import { existsSync } from 'node:fs';
import { installPackages } from './apt.mjs';
import { findTool } from './process.mjs';
import { NotReady } from './progress.mjs';

/** @typedef {{ name: string, package: string, use: string, present?: () => boolean }} Tool */

/** @type {ReadonlyArray<Tool>} */
const tools = [
  { name: 'qemu-system-x86_64', package: 'qemu-system-x86', use: 'runs the microVMs' },
  { name: 'tar2sqfs', package: 'squashfs-tools-ng', use: 'turns image layers into root file systems' },
  { name: 'mkfs.ext4', package: 'e2fsprogs', use: 'makes the blank disk' },
  { name: 'qemu-img', package: 'qemu-utils', use: 'makes the blank disk' },
  { name: 'depmod', package: 'kmod', use: 'orders the kernel modules' },
  { name: 'xz', package: 'xz-utils', use: 'unpacks the kernel' },
  { name: 'gcc', package: 'gcc', use: 'links the guest agent' },
  {
    name: 'the static C library',
    package: 'libc6-dev',
    use: 'is linked into the guest agent',
    present: () => ['/usr/lib/x86_64-linux-gnu/libc.a', '/usr/lib64/libc.a'].some((path) => existsSync(path)),
  },
  {
    name: 'CA certificates',
    package: 'ca-certificates',
    use: 'let cargo download',
    present: () => existsSync('/etc/ssl/certs/ca-certificates.crt'),
  },
];

/** @type {ReadonlyArray<Tool>} */
const testTools = [
  { name: 'docker-registry', package: 'docker-registry', use: 'is the registry of the tests' },
  { name: 'htpasswd', package: 'apache2-utils', use: 'makes its passwords' },
  { name: 'openssl', package: 'openssl', use: 'makes its certificates' },
  { name: 'skopeo', package: 'skopeo', use: 'copies images as a second opinion' },
  { name: 'umoci', package: 'umoci', use: 'unpacks images as a second opinion' },
  { name: 'busybox', package: 'busybox-static', use: 'is a program that an image is made of' },
  { name: 'buildah', package: 'buildah', use: 'builds images as a second opinion' },
  { name: 'getfattr', package: 'attr', use: 'shows the extended attributes of files' },
  { name: 'mmdebstrap', package: 'mmdebstrap', use: 'makes a large image' },
  { name: 'git', package: 'git', use: 'serves the repositories of the tests' },
  { name: 'bzip2', package: 'bzip2', use: 'packs archives of the tests' },
  { name: 'zstd', package: 'zstd', use: 'packs archives of the tests' },
  { name: 'ssh-keygen', package: 'openssh-client', use: 'makes and checks ssh keys' },
  { name: 'zsh', package: 'zsh', use: 'is a shell that completes' },
  { name: 'fish', package: 'fish', use: 'is a shell that completes' },
];

/**
 * Refuses hosts the guest bundle cannot be built on.
 * @throws {NotReady}
 */
export function checkPlatform() {
  const missing = [];
  if (process.platform !== 'linux') missing.push(`Linux (this is ${process.platform})`);
  if (process.arch !== 'x64') missing.push(`an x86-64 processor (this is ${process.arch})`);
  const needed = ['apt-get', 'apt-cache', 'dpkg-deb'];
  const absent = needed.filter((name) => findTool(name) === undefined);
  if (absent.length > 0)
    missing.push(`Debian's package tools (${absent.join(', ')}): the guest's kernel is a package`);
  if (missing.length > 0) throw new NotReady(missing);
}

/**
 * Makes sure that the system programs are there, installing what is missing.
 * @param {(work: string) => void} announce
 * @param {{ tests?: boolean }} [options] tests: those that only the tests need as well
 * @returns {Promise<{ summary: string }>}
 * @throws {NotReady} naming each program, its use and its package, where this user may not install
 */
export async function systemPackages(announce, { tests = false } = {}) {
  const needed = tests ? [...tools, ...testTools] : tools;
  const missing = needed.filter((tool) => !(tool.present?.() ?? findTool(tool.name) !== undefined));
  if (missing.length === 0) return { summary: 'all there' };
  const packages = missing.map((tool) => tool.package);
  announce(`installing ${packages.join(' ')}`);
  if (await installPackages(packages)) return { summary: `installed ${packages.join(' ')}` };
  throw new NotReady([
    ...missing.map((tool) => `${tool.name}, which ${tool.use} (package ${tool.package})`),
    `the right to install packages; as root: apt-get install ${packages.join(' ')}`,
  ]);
}
