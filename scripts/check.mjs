/** Types, lint and format of both languages: `npm run check`. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, setUp } from './set-up.mjs';
import { run } from './setup/process.mjs';
import { runScript, step } from './setup/progress.mjs';

/** @type {ReadonlyArray<{ name: string, command: string, args: string[], cwd?: string }>} */
const checks = [
  { name: 'types', command: 'tsc', args: [] },
  { name: 'lint', command: 'oxlint', args: [] },
  { name: 'format', command: 'oxfmt', args: ['--check'] },
  { name: 'Rust format', command: 'cargo', args: ['fmt', '--check'], cwd: 'guest' },
  {
    name: 'Rust lint',
    command: 'cargo',
    args: ['clippy', '--locked', '--all-targets', '--quiet', '--', '-D', 'warnings'],
    cwd: 'guest',
  },
];

/**
 * Runs every check, whatever the others find.
 * @param {string} node a fit Node
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>}
 */
export async function runChecks(node) {
  const path = [join(node, '..'), join(root, 'node_modules', '.bin'), process.env['PATH']].join(':');
  let failed = 0;
  for (const { name, command, args, cwd = '.' } of checks) {
    await step(name, async () => {
      try {
        await run(command, args, { cwd: join(root, cwd), env: { PATH: path } });
        return { summary: 'ok' };
      } catch (error) {
        failed += 1;
        console.log(error instanceof Error ? error.message : error);
        return { summary: 'failed' };
      }
    });
  }
  return { passed: checks.length - failed, failed, skipped: 0 };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    const { node } = await setUp({ lint: true });
    const { failed } = await runChecks(node);
    if (failed > 0) process.exitCode = 1;
  });
}
