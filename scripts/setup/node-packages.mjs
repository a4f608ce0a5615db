import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, toolEnv } from './process.mjs';
import { NotReady } from './progress.mjs';

/**
 * Makes sure that node_modules holds what the lock file asks for, and that there is a Node to run it with.
 * @param {string} root
 * @param {(work: string) => void} announce
 * @returns {Promise<{ summary: string, node: string }>} node: the path of a fit Node
 */
export async function nodePackages(root, announce) {
  const fresh = isInstalled(root);
  if (!fresh) {
    announce('npm ci');
    // `npm run` puts node_modules/.bin first, where the Node lies that npm is about to replace.
    const path = toolEnv.PATH.split(delimiter).filter(
      (directory) => !directory.endsWith('node_modules/.bin'),
    );
    const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', args, { cwd: root, env: { PATH: path.join(delimiter) } });
  }
  const node = fitNode(root);
  return { summary: fresh ? 'up to date' : 'installed', node };
}

/**
 * Whether npm's own record of what it installed agrees with the lock file.
 * @param {string} root
 */
function isInstalled(root) {
  const wanted = packagesIn(join(root, 'package-lock.json'));
  const present = packagesIn(join(root, 'node_modules', '.package-lock.json'));
  const agrees = Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const installed = present[path];
    // Packages for other platforms are optional, and absent here.
    return installed === undefined ? optional || devOptional : installed.version === version;
  });
  return agrees && Object.keys(present).length > 0;
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>}
 */
function packagesIn(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

/**
 * @param {string} root
 * @returns {string}
 */
function fitNode(root) {
  const packaged = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged)) return packaged;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 19)) return process.execPath;
  throw new NotReady([
    `Node 22.19 or newer (found ${process.versions.node}), or npm ci with optional packages`,
  ]);
}
