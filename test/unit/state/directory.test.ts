import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { namesIn, removeTree } from '../../../src/state/directory.ts';
import { temporaryDirectory } from '../../temporary.ts';

test('a directory that is not there has no names in it', () => {
  expect(namesIn('/nonexistent')).toEqual([]);
});

test('a tree that is deeper than files may be open is removed', () => {
  const tree = join(temporaryDirectory(), 'tree');
  mkdirSync(join(tree, ...Array.from({ length: 200 }, () => 'd')), { recursive: true });
  const module = JSON.stringify(join(import.meta.dirname, '../../../src/state/directory.ts'));
  const script = `import(${module}).then(({ removeTree }) => removeTree(${JSON.stringify(tree)}))`;
  const limited = 'ulimit -n 64; exec "$0" -e "$1"';
  const { status, stderr } = spawnSync('sh', ['-c', limited, process.execPath, script], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(existsSync(tree)).toBe(false);
});

test('a tree that is not there is no error', () => {
  expect(() => removeTree('/nonexistent/tree')).not.toThrow();
});
