/** From a fresh clone to a command inside a microVM: `npm run quickstart`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, setUp } from './set-up.mjs';
import { runScript } from './setup/progress.mjs';

const args = ['run', '--rm', 'a3s/base', 'sh', '-c', 'echo hello from a microVM; uname -a'];

await runScript(async () => {
  await setUp();
  const shown = args.map((arg) => (/^[\w./-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');
  console.log(`\n$ bin/a3s-box ${shown}`);
  const { status } = spawnSync(join(root, 'bin', 'a3s-box'), args, { cwd: root, stdio: 'inherit' });
  process.exitCode = status ?? 1;
});
