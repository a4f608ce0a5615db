/** Bundles the command line and the monitor into dist/: `npm run build`. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';
import { bundledLicences } from './bundled-licences.ts';
import { contentHash } from './setup/content-hash.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** Entry points by the name of their bundle in dist/. */
const entries: Record<string, string> = {
  cli: 'src/cli.ts',
  program: 'src/cli/program.ts',
  monitor: 'src/runtime/monitor-main.ts',
};

/** Packages in a file of their own, `dist/<package>.cjs`: a program that never needs one does not even read it. */
const separate = ['undici'];

/** What is imported by these names comes from the file in dist/. */
const elsewhere: Record<string, string> = {
  ...Object.fromEntries(separate.map((name) => [name, name])),
  './cli/program.ts': 'program',
};

/**
 * Bundles and returns the files that went in. One CommonJS file a program, its lazy modules inside it: ES modules in chunks cost
 * 15 ms more at every start, most of it in Node's loader, which resolves each file by itself.
 */
async function bundle(): Promise<string[]> {
  const { build } = await import('esbuild');
  const options: BuildOptions = {
    absWorkingDir: root,
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node22.19',
    minifySyntax: true,
    minifyWhitespace: true,
    // require() finds a file or a module of Node's in half the time.
    supported: { 'dynamic-import': false },
    legalComments: 'none',
    define: { 'import.meta.dirname': '__dirname' },
    metafile: true,
    logLevel: 'warning',
  };
  // Short names are a third less to read at each start. Those of a stack come back with A3S_DEBUG=1 (see bin/a3s-box).
  const ownCode: BuildOptions = { minifyIdentifiers: true, sourcemap: 'linked', sourcesContent: false };
  const packages = Object.fromEntries(separate.map((name) => [name, name]));
  const results = await Promise.all([
    build({ ...options, ...ownCode, entryPoints: entries, plugins: [otherFiles] }),
    build({ ...options, entryPoints: packages }),
  ]).catch(() => process.exit(1)); // esbuild has said what is wrong
  return results.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
}

const otherFiles: Plugin = {
  name: 'other files',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path }) => {
      const file = elsewhere[path];
      return file === undefined ? undefined : { path: `./${file}.cjs`, external: true };
    });
  },
};

const stamp = join(dist, '.inputs');
const sources = [
  'src',
  'scripts/build.ts',
  'scripts/bundled-licences.ts',
  'package.json',
  'package-lock.json',
];
const inputs = await contentHash(root, sources);
const complete = [...Object.keys(entries), ...separate].every((name) =>
  existsSync(join(dist, `${name}.cjs`)),
);
if (complete && (await readFile(stamp, 'utf8').catch(() => '')) === inputs) {
  console.log('up to date');
} else {
  await writeFile(join(dist, 'LICENSES.txt'), await bundledLicences(root, await bundle()));
  await writeFile(stamp, inputs);
  console.log('built');
}
