import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/**
 * SHA-256 over names and contents of files, so that a step runs again only when its inputs changed.
 * @param {string} root what names are relative to
 * @param {readonly string[]} paths files and directories below root; missing ones count as empty
 * @param {readonly string[]} [facts] anything else the result depends on, such as a tool's version
 * @returns {Promise<string>} hex digits
 */
export async function contentHash(root, paths, facts = []) {
  const files = (await Promise.all(paths.map((path) => filesBelow(join(root, path))))).flat().toSorted();
  const hash = createHash('sha256').update(JSON.stringify(facts));
  const contents = await Promise.all(files.map((file) => readFile(file)));
  files.forEach((file, index) => {
    const content = contents[index] ?? '';
    hash.update(`\0${relative(root, file)}\0${content.length}\0`).update(content);
  });
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {Promise<string[]>}
 */
async function filesBelow(path) {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const kept = entries.filter((entry) => entry.name !== 'target' && entry.name !== 'node_modules');
    const files = kept.filter((entry) => !entry.isDirectory()).map((entry) => join(path, entry.name));
    const directories = kept.filter((entry) => entry.isDirectory());
    const below = directories.map((directory) => filesBelow(join(path, directory.name)));
    return [...files, ...(await Promise.all(below)).flat()];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') return [path];
    throw error;
  }
}
