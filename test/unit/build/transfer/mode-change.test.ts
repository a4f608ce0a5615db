import { execFileSync } from 'node:child_process';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { modeChange } from '../../../../src/build/transfer/mode-change.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const CHANGES = [
  'u+x',
  'go-rwx',
  '+x',
  '-w',
  '=r',
  'a=rx',
  'u=rwx,go=rx',
  'u=rwX,go=rX',
  'u=g',
  'go=u-w',
  'o=',
  'g+u',
  'u-o',
  'ug=o',
  'u+s',
  'g+s,o-s',
  '+t',
  'u=s',
  'g-s',
  'u+r-w+x',
  'uo+rwx,g=u',
  'a+rwX',
  '=',
  'g=o,o=',
];
const MODES = [0o644, 0o751, 0o4755, 0o2640, 0o1777, 0o6711, 0o000, 0o7777];

test('symbolic changes are what chmod makes of a file without a umask', () => {
  const directory = temporaryDirectory();
  const files = MODES.map((mode) => join(directory, mode.toString(8)));
  for (const file of files) writeFileSync(file, '');
  for (const change of CHANGES) {
    for (const [n, file] of files.entries()) chmodSync(file, MODES[n] ?? 0);
    execFileSync('sh', ['-c', 'umask 0; chmod -- "$@"', 'sh', change, ...files]);
    // BSD's `=`, which BuildKit has, leaves the sticky bit alone, `u=g` also the set-ID bits; GNU's takes them away.
    const copies = /=[ugo]/.test(change) ? 0o777 : 0o6777;
    const compared = /=(?!.*t)/.test(change) ? copies : 0o7777;
    const theirs = files.map((file) => (statSync(file).mode & compared).toString(8));
    const ours = MODES.map((mode) => ((modeChange(change)?.apply(mode, false) ?? 0) & compared).toString(8));
    expect([change, ...ours]).toEqual([change, ...theirs]);
  }
});

test('set-ID and sticky bits are for owners and groups, the sticky bit for either', () => {
  expect(modeChange('u+t')?.apply(0o644, false)).toBe(0o1644);
  expect(modeChange('o+st')?.apply(0o644, false)).toBe(0o644);
  expect(modeChange('a=rwxst')?.apply(0o644, false)).toBe(0o7777);
});

test('X is for directories and what somebody may execute already', () => {
  expect(modeChange('a=rX')?.apply(0o600, true)).toBe(0o555);
  expect(modeChange('a=rX')?.apply(0o600, false)).toBe(0o444);
  expect(modeChange('a=rX')?.apply(0o610, false)).toBe(0o555);
  // Already: before the change, not in the middle of it, where GNU looks.
  expect(modeChange('a-x+X')?.apply(0o751, false)).toBe(0o751);
});

test('an octal mode is the mode, and that of new directories without its upper bits', () => {
  const change = modeChange('4750');
  expect(change?.apply(0, false)).toBe(0o4750);
  expect(change?.parents).toBe(0o750);
  expect(modeChange('u+x')?.parents).toBe(0o755);
  expect(modeChange('')).toBe(null);
});
