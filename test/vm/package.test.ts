import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { findProgram } from '../../src/runtime/host-cache.ts';
import { killBoxProcesses } from '../../src/state/processes.ts';
import { a3s } from '../e2e/fixture/cli.ts';
import { temporaryDirectory } from '../temporary.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Everything that an installed a3s-box may need of its host: no compiler, no build tool. */
const PROGRAMS = ['sh', 'readlink', 'cp', 'tar2sqfs', 'qemu-system-x86_64'];

test('the package runs a box where it is installed, without a network and without a compiler', async () => {
  const dir = temporaryDirectory();
  const prefix = join(dir, 'prefix');
  const path = join(dir, 'path');
  mkdirSync(path);
  for (const name of PROGRAMS) symlinkSync(findProgram(name) ?? '', join(path, name));
  symlinkSync(process.execPath, join(path, 'node'));

  const quiet = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--loglevel=error'];
  npm(['pack', ...quiet, '--pack-destination', dir]);
  const [tarball = ''] = readdirSync(dir).filter((name) => name.endsWith('.tgz'));
  // The packaged Node is on the registry; this one stands in for it.
  npm(['install', '--global', '--prefix', prefix, '--omit=optional', ...quiet, join(dir, tarball)]);

  const { status, out, err } = await a3s(['run', '--rm', 'a3s/base', 'echo', 'well'], {
    program: [join(prefix, 'bin', 'a3s-box')],
    env: { PATH: path, A3S_HOME: join(dir, 'home'), A3S_BOX_QEMU: undefined },
    cwd: dir,
  });
  expect({ status, out, err }).toEqual({ status: 0, out: 'well\n', err: '' });
  // The image template that its monitor is making now is nobody's.
  await killBoxProcesses(dir);
  const installed = join(prefix, 'lib', 'node_modules', 'a3s-box');
  expect(readdirSync(join(installed, 'docs'))).toEqual(readdirSync(join(ROOT, 'docs')));
});

function npm(words: string[]): void {
  execFileSync('npm', words, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'], timeout: 60_000 });
}
