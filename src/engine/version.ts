/** The version of this program. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageRoot } from '../package-root.ts';
import { isObject } from '../json.ts';

/** As package.json has it. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  const version = isObject(manifest) ? manifest['version'] : undefined;
  return typeof version === 'string' ? version : 'unknown';
}
