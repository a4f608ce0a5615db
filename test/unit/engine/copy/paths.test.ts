import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { localDestination, localSource } from '../../../../src/engine/copy/local.ts';
import { boxPath, splitPath, targetOf } from '../../../../src/engine/copy/paths.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const FILE = { path: '/src/f', isDirectory: false, title: null };
const TREE = { path: '/src/tree', isDirectory: true, title: null };
const NONE = { exists: false, isDirectory: false };

describe('paths', () => {
  test.each([
    ['etc', '/etc'],
    ['/etc/', '/etc/'],
    ['/etc/.', '/etc/.'],
    ['../../etc/../x', '/x'],
    ['/', '/'],
    ['.', '/.'],
  ])('%s of a box is %s', (path, expected) => expect(boxPath(path)).toBe(expected));

  test.each([
    ['/a/b', '/a', 'b'],
    ['/a/b/', '/a', 'b'],
    ['/a/b/.', '/a/b', '.'],
    ['/b', '/', 'b'],
    ['/', '/', '/'],
  ])('%s is in %s as %s', (path, directory, base) => expect(splitPath(path)).toEqual({ directory, base }));
});

describe('the target of a copy', () => {
  test('is the directory that is there', () => {
    expect(targetOf(FILE, { path: '/d', exists: true, isDirectory: true })).toEqual({
      directory: '/d',
      rename: null,
    });
  });

  test('is a file of another name, or a directory that the copy makes', () => {
    const renamed = { directory: '/d', rename: { from: 'f', to: 'g' } };
    expect(targetOf(FILE, { path: '/d/g', exists: true, isDirectory: false })).toEqual(renamed);
    expect(targetOf(FILE, { path: '/d/g', ...NONE })).toEqual(renamed);
    expect(targetOf(TREE, { path: '/d/g/', ...NONE })).toEqual({
      directory: '/d',
      rename: { from: 'tree', to: 'g' },
    });
    expect(targetOf({ ...TREE, path: '/' }, { path: '/d/g', ...NONE }).rename).toEqual({
      from: '.',
      to: 'g',
    });
  });

  test('is refused where file and directory clash', () => {
    const file = { path: '/d/g', exists: true, isDirectory: false };
    expect(() => targetOf(TREE, file)).toThrow('cannot copy directory');
    expect(() => targetOf(FILE, { path: '/d/g/', ...NONE })).toThrow('no such directory');
  });
});

describe('the host side', () => {
  test('follows the last link of a source behind a slash or on demand, and keeps its name', () => {
    const top = temporaryDirectory();
    mkdirSync(join(top, 'real'));
    symlinkSync('real', join(top, 'link'));
    const of = (path: string, follow: boolean): unknown => {
      const { name, title, isDirectory } = localSource(path, follow);
      return [name, title, isDirectory];
    };
    expect(of(`${top}/link`, false)).toEqual(['link', 'link', false]);
    expect(of(`${top}/link`, true)).toEqual(['real', 'link', true]);
    expect(of(`${top}/link/`, false)).toEqual(['real', 'link', true]);
    expect(of(`${top}/link/.`, false)).toEqual(['real', '.', true]);
  });

  test('says in Docker’s words what is not there', () => {
    const top = temporaryDirectory();
    writeFileSync(join(top, 'f'), '');
    expect(() => localSource(`${top}/no`, false)).toThrow(`lstat ${top}/no: no such file or directory`);
    expect(() => localSource(`${top}/f/`, false)).toThrow('not a directory');
    expect(() => localDestination(`${top}/no/x`)).toThrow(
      `invalid output path: directory "${top}/no" does not exist`,
    );
    expect(() => localDestination('/dev/null')).toThrow('must be a directory or a regular file');
  });

  test('follows a link at the destination, also to what is not there yet', () => {
    const top = temporaryDirectory();
    symlinkSync('later', join(top, 'link'));
    expect(localDestination(`${top}/link`)).toEqual({ path: `${top}/later`, ...NONE });
  });
});
