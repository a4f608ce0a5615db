/** Bundles the command line and the monitor into dist/: `npm run build`. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundledLicences } from './bundled-licences.ts';
import { contentHash } from './setup/content-hash.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** Entry points by the name of their bundle in dist/. */
const entries: Record<string, string> = {
  cli: 'src/cli.ts',
  monitor: 'src/runtime/monitor-main.ts',
};

/**
 * Bundles and returns the files that went in. One CommonJS file a program, its lazy modules inside it: ES modules in chunks cost
 * 15 ms more at every start, most of it in Node's loader, which resolves each file by itself.
 */
async function bundle(): Promise<string[]> {
  const { build } = await import('esbuild');
  const present = Object.entries(entries).filter(([, source]) => existsSync(join(root, source)));
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(present),
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22.19',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    define: { 'import.meta.dirname': '__dirname' },
    metafile: true,
    logLevel: 'warning',
  }).catch(() => process.exit(1)); // esbuild has said what is wrong
  return Object.keys(result.metafile.inputs);
}

const stamp = join(dist, '.inputs');
const sources = [
  'src',
  'scripts/build.ts',
  'scripts/bundled-licences.ts',
  'package.json',
  'package-lock.json',
];
const inputs = await contentHash(root, sources);
const complete = Object.keys(entries).every((name) => existsSync(join(dist, `${name}.cjs`)));
if (complete && (await readFile(stamp, 'utf8').catch(() => '')) === inputs) {
  console.log('up to date');
} else {
  await writeFile(join(dist, 'LICENSES.txt'), await bundledLicences(root, await bundle()));
  await writeFile(stamp, inputs);
  console.log('built');
}
