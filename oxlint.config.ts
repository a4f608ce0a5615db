import { defineConfig, type DummyRuleMap } from 'oxlint';

/**
 * The layers under src/ and which of them each may import, besides itself and the base files directly
 * under src/ (errors). Imports run downwards only, so that everything the command line can do stays a
 * call on `engine/`, which other front ends will use too. `output` writes to the terminal: only what
 * talks to the user may import it.
 */
const layers: Record<string, readonly string[]> = {
  state: [],
  images: ['state'],
  runtime: ['state'],
  build: ['state', 'images', 'runtime'],
  engine: ['state', 'images', 'runtime', 'build'],
  output: [],
  commands: ['engine', 'output'],
  cli: ['commands', 'engine', 'output', 'state'],
};

/** The command's program and the monitor: nothing else may end a process or set its exit status. */
const entryPoints = ['src/cli/program.ts', 'src/runtime/monitor-main.ts'];

const forbidImports = (group: string[], message: string): DummyRuleMap => ({
  'no-restricted-imports': ['error', { patterns: [{ group, message }] }],
});

const layerOverrides = Object.entries(layers).map(([layer, allowed]) => {
  const forbidden = Object.keys(layers).filter((name) => name !== layer && !allowed.includes(name));
  return {
    files: [`src/${layer}/**/*.ts`, ...(layer === 'cli' ? ['src/cli.ts'] : [])],
    rules: forbidImports(
      forbidden.flatMap((name) => [
        `./${name}/**`,
        `../${name}/**`,
        `../../${name}/**`,
        `../../../${name}/**`,
      ]),
      `src/${layer} may import only: ${['src/*.ts', ...allowed].join(', ')}.`,
    ),
  };
});

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'oxc', 'promise', 'node'],
  categories: { correctness: 'error', suspicious: 'error' },
  options: { typeAware: true, reportUnusedDisableDirectives: 'error', denyWarnings: true },
  ignorePatterns: ['node_modules', 'dist', 'guest', '.cache'],
  env: { node: true, es2024: true },
  rules: {
    'import/no-cycle': 'error',
    'import/no-unassigned-import': 'off',
    'no-underscore-dangle': 'off',
    'no-shadow': 'off',
    'unicorn/consistent-function-scoping': 'off',
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'prefer-const': 'error',
    'no-var': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    // What `using` holds would be given up before the work that needs it is done.
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/only-throw-error': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  },
  overrides: [
    {
      files: ['src/**/*.ts'],
      rules: {
        'no-console': 'error',
        'no-restricted-properties': [
          'error',
          { object: 'process', property: 'exit', message: 'Only the entry points end a process.' },
          {
            object: 'process',
            property: 'exitCode',
            message: 'Return the exit status; only the entry points set it.',
          },
        ],
      },
    },
    { files: entryPoints, rules: { 'no-restricted-properties': 'off' } },
    {
      files: ['src/*.ts'],
      excludeFiles: ['src/cli.ts'],
      rules: forbidImports(['./*/**'], 'The base files under src/ import no layer.'),
    },
    ...layerOverrides,
  ],
});
