import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const LOADER = join(import.meta.dirname, '../../src/compiled.ts');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'a3s-compiled-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Runs a bundle in a process of its own and returns what it printed. */
function load(hash: string, env: NodeJS.ProcessEnv = {}): string {
  const script = `
    import { createRequire } from 'node:module';
    import { loadCompiled } from ${JSON.stringify(LOADER)};
    const file = ${JSON.stringify(join(dir, 'bundle.cjs'))};
    const { greet } = loadCompiled({ file, hash: '${hash}', purpose: 'test', require: createRequire(file) });
    console.log(greet());`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, NODE_COMPILE_CACHE: join(dir, 'cache'), ...env },
    encoding: 'utf8',
  });
  expect([stderr, status]).toEqual(['', 0]);
  return stdout;
}

function write(word: string): void {
  const text = `exports.greet = () => ${JSON.stringify(word)} + ' from ' + require('node:path').basename(__filename);`;
  writeFileSync(join(dir, 'bundle.cjs'), text);
}

function kept(): string[] {
  return readdirSync(join(dir, 'cache')).filter((name) => name.startsWith('bundle-'));
}

test('the second run takes the code that the first one compiled', () => {
  write('hello');
  expect(load('aa')).toBe('hello from bundle.cjs\n');
  const [name = ''] = kept();
  expect(kept()).toEqual([`bundle-test-${process.version}-${process.arch}-${process.getuid?.()}-aa`]);
  const { ino } = statSync(join(dir, 'cache', name));
  expect(load('aa')).toBe('hello from bundle.cjs\n');
  expect(statSync(join(dir, 'cache', name)).ino).toBe(ino);
});

test('another content of the same length runs its own code; what is left of an old one goes after a week', () => {
  write('hello');
  load('aa');
  const [old = ''] = kept();
  write('olleh');
  expect(load('bb')).toBe('olleh from bundle.cjs\n');
  expect(kept()).toHaveLength(2);
  const longAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000);
  utimesSync(join(dir, 'cache', old), longAgo, longAgo);
  load('cc');
  expect(kept().map((name) => name.slice(-2))).toEqual(['bb', 'cc']);
});

test('a file that others may have written is not executed, but replaced', () => {
  write('hello');
  load('aa');
  const file = join(dir, 'cache', kept()[0] ?? '');
  const before = statSync(file).ino;
  chmodSync(file, 0o622);
  expect(load('aa')).toBe('hello from bundle.cjs\n');
  expect(statSync(file).ino).not.toBe(before);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a file that is cut short is compiled anew', () => {
  write('hello');
  load('aa');
  const file = join(dir, 'cache', kept()[0] ?? '');
  const whole = statSync(file).size;
  truncateSync(file, whole / 2);
  expect(load('aa')).toBe('hello from bundle.cjs\n');
  expect(statSync(file).size).toBe(whole);
});

test('without a directory for it, the bundle runs all the same', () => {
  write('hello');
  expect(load('aa', { NODE_COMPILE_CACHE: '' })).toBe('hello from bundle.cjs\n');
  writeFileSync(join(dir, 'file'), 'not a directory');
  expect(load('aa', { NODE_COMPILE_CACHE: join(dir, 'file') })).toBe('hello from bundle.cjs\n');
  expect(readFileSync(join(dir, 'file'), 'utf8')).toBe('not a directory');
});
