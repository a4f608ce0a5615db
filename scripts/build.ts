/** Bundles the command line and the monitor into dist/: `npm run build`. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';
import { bundledLicences } from './bundled-licences.ts';
import { contentHash } from './setup/content-hash.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** Programs by the name of their bundle in dist/. */
const programs: Record<string, string> = {
  program: 'src/cli/program.ts',
  'monitor-main': 'src/runtime/monitor-main.ts',
};

/** Packages in a file of their own, `dist/<package>.cjs`: a program that never needs one does not even read it. */
const separate = ['undici'];

/** What Node is given to run: small files that load the programs with the code that was compiled earlier (src/compiled.ts). */
const starters: Record<string, string> = { cli: 'src/cli.ts', monitor: 'src/runtime/monitor-start.ts' };

/** Which program a starter, or an import of it, stands for, and the runs that have enough in common to share compiled code. */
const loaded: Record<string, { program: string; purpose: string }> = {
  './cli/program.ts': {
    program: 'program',
    purpose: "['exec', 'logs', 'ps', 'run', 'start'].find((name) => name === process.argv[2]) ?? 'other'",
  },
  './monitor-main.ts': { program: 'monitor-main', purpose: "'box'" },
};

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

/** Short names are a third less to read at each start. Those of a stack come back with A3S_DEBUG=1 (see bin/a3s-box). */
const ownCode: BuildOptions = { minifyIdentifiers: true, sourcemap: 'linked', sourcesContent: false };

/**
 * Bundles and returns the files that went in. One CommonJS file a program, its lazy modules inside it: ES modules in chunks cost
 * 15 ms more at every start, most of it in Node's loader, which resolves each file by itself.
 */
async function bundle(): Promise<string[]> {
  const { build } = await import('esbuild');
  const packages = Object.fromEntries(separate.map((name) => [name, name]));
  const results = await Promise.all([
    build({ ...options, ...ownCode, entryPoints: programs, plugins: [separatePackages] }),
    build({ ...options, entryPoints: packages }),
  ])
    // The starters name the programs by their content.
    .then(async (built) => [
      ...built,
      await build({ ...options, entryPoints: starters, plugins: [loadPrograms] }),
    ])
    .catch(() => process.exit(1)); // esbuild has said what is wrong
  return results.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}));
}

/** Sends imports of the separate packages to their files. */
const separatePackages: Plugin = {
  name: 'separate packages',
  setup(build) {
    const names = new RegExp(`^(?:${separate.join('|')})$`);
    build.onResolve({ filter: names }, ({ path }) => ({ path: `./${path}.cjs`, external: true }));
  },
};

/** Puts the loading of a program where a starter imports it. */
const loadPrograms: Plugin = {
  name: 'load programs',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path }) =>
      path in loaded ? { path, namespace: 'program' } : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'program' }, async ({ path }) => {
      const { program = '', purpose = '' } = loaded[path] ?? {};
      const hash = createHash('sha256')
        .update(await readFile(join(dist, `${program}.cjs`)))
        .digest('hex')
        .slice(0, 16);
      const file = `__dirname + '/${program}.cjs'`;
      return {
        contents: `import { loadCompiled } from './src/compiled.ts';
          module.exports = loadCompiled({ file: ${file}, hash: '${hash}', purpose: ${purpose}, require });`,
        resolveDir: root,
      };
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
const complete = [...Object.keys({ ...programs, ...starters }), ...separate].every((name) =>
  existsSync(join(dist, `${name}.cjs`)),
);
if (complete && (await readFile(stamp, 'utf8').catch(() => '')) === inputs) {
  console.log('up to date');
} else {
  await writeFile(join(dist, 'LICENSES.txt'), await bundledLicences(root, await bundle()));
  await writeFile(stamp, inputs);
  console.log('built');
}
