import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The licence texts of the packages whose code is in the bundles, which their terms ask to be passed on.
 * @param inputs paths of the bundled files, relative to `root`
 */
export async function bundledLicences(root: string, inputs: readonly string[]): Promise<string> {
  const packages = new Set<string>();
  for (const input of inputs) {
    const match = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input);
    if (match) packages.add(match[0]);
  }
  const sections = await Promise.all([...packages].toSorted().map((path) => licenceOf(join(root, path))));
  return sections.length === 0 ? 'No code of other packages is bundled.\n' : sections.join('\n');
}

async function licenceOf(directory: string): Promise<string> {
  const manifest: Record<string, unknown> = JSON.parse(
    await readFile(join(directory, 'package.json'), 'utf8'),
  );
  const { name, version, license } = manifest;
  const file = (await readdir(directory)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file === undefined ? '' : await readFile(join(directory, file), 'utf8');
  return `${String(name)} ${String(version)} (${String(license)})\n\n${text.trim()}\n`;
}
