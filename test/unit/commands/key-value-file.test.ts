import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { readEnvironment } from '../../../src/commands/environment.ts';
import { readLabels } from '../../../src/commands/labels.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'a3s-env-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function file(content: string | Buffer): Promise<string> {
  const path = join(directory, 'file');
  await writeFile(path, content);
  return path;
}

describe('--env-file', () => {
  test('comments and blank lines are skipped, values are kept as they are', async () => {
    const path = await file('# c\n\n  A=1 \nB="q"\nC=\r\nD=a=b\n\t#x\nE=é');
    expect(await readEnvironment([], [path], {})).toEqual(['A=1 ', 'B="q"', 'C=', 'D=a=b', 'E=é']);
  });

  test('a name alone takes the value of the caller, or is dropped', async () => {
    expect(await readEnvironment([], [await file('HERE\nNOT_HERE\n')], { HERE: 'x' })).toEqual(['HERE=x']);
  });

  test('a byte order mark is not part of the first name', async () => {
    expect(await readEnvironment([], [await file('\uFEFFA=1\n')], {})).toEqual(['A=1']);
  });

  test.each([
    ['A=1\na b=3\n', "variable 'a b' contains whitespaces"],
    ['=3\n', "no variable name on line '=3'"],
    [Buffer.from('A=1\nB\xff=2\n', 'latin1'), 'invalid utf8 bytes at line 2: [66 255 61 50]'],
  ])('%j is refused, naming the file', async (content, why) => {
    const path = await file(content);
    await expect(readEnvironment([], [path], {})).rejects.toThrow(`invalid env file (${path}): ${why}`);
  });

  test('a file that is not there is named', async () => {
    await expect(readEnvironment([], ['/nosuch'], {})).rejects.toThrow(
      'open /nosuch: no such file or directory',
    );
    await expect(readEnvironment([], [directory], {})).rejects.toThrow(`read ${directory}: is a directory`);
  });
});

test('-e comes after the files, and a name alone takes the value of the caller', async () => {
  const path = await file('A=1\n');
  const env = await readEnvironment(['A=2', 'HERE', 'NOT_HERE', 'EMPTY='], [path], { HERE: 'x' });
  expect(env).toEqual(['A=1', 'A=2', 'HERE=x', 'NOT_HERE', 'EMPTY=']);
});

test('labels: a name alone has no value, -l wins', async () => {
  const path = await file('a=1\nb\n');
  expect(await readLabels(['a=2', 'c', 'd=x=y'], [path])).toEqual({ a: '2', b: '', c: '', d: 'x=y' });
});
