/** Where this package lies. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { A3sError } from './errors.ts';

/** The directory of the package this code runs from, as source or as a bundle. */
export function packageRoot(): string {
  let dir = import.meta.dirname;
  while (!existsSync(join(dir, 'package.json'))) {
    const parent = dirname(dir);
    if (parent === dir) throw new A3sError('host_setup', 'cannot find the package that a3s-box runs from');
    dir = parent;
  }
  return dir;
}
