/**
 * Makes a checkout ready to run and test, on a machine that has only git, Node 20 and npm: `npm run set-up`.
 * Plain JavaScript without dependencies, as everything in scripts/setup/, because it runs before all else.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './setup/lock.mjs';
import { nodePackages } from './setup/node-packages.mjs';
import { run } from './setup/process.mjs';
import { collectMissing, runScript, step } from './setup/progress.mjs';
import { rust } from './setup/rust.mjs';
import { checkPlatform, systemPackages } from './setup/system-packages.mjs';

export const root = join(fileURLToPath(import.meta.url), '..', '..');

/**
 * @returns {Promise<{ node: string }>} node: the path of a fit Node
 * @throws {import('./setup/progress.mjs').NotReady} with a list of what is missing
 */
export async function setUp({ lint = false, tests = false } = {}) {
  checkPlatform();
  return withLock(join(root, '.cache', 'set-up.lock'), async () => {
    await collectMissing([
      () => step('system packages', (announce) => systemPackages(announce, { tests })),
      () => step('Rust', (announce) => rust(announce, { lint })),
    ]);
    const { node } = await step('npm packages', (announce) => nodePackages(root, announce));
    await step('guest bundle', (announce) => build(node, 'guest-bundle.ts', announce));
    await step('command line', (announce) => build(node, 'build.ts', announce));
    return { node };
  });
}

/**
 * Runs a build script, which finds out itself whether there is anything to do and says so.
 * @param {string} node
 * @param {string} script
 * @param {(activity: string) => void} announce
 */
async function build(node, script, announce) {
  announce('building');
  const output = await run(node, [join(root, 'scripts', script)], { cwd: root });
  return { summary: output.toString().trim().split('\n').at(-1) ?? 'done' };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runScript(async () => void (await setUp()));
