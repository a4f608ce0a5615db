import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { openCidFile } from '../../../src/commands/cidfile.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'a3s-cid-'));
  path = join(directory, 'cid');
});
afterEach(() => rmSync(directory, { recursive: true }));

test('holds the ID, and stays', async () => {
  {
    await using file = await openCidFile(path);
    await file.write('an-id');
  }
  expect(readFileSync(path, 'utf8')).toBe('an-id');
});

test('is gone when no ID came', async () => {
  {
    await using _file = await openCidFile(path);
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});

test('one that is there is refused and left as it is', async () => {
  writeFileSync(path, 'old');
  await expect(openCidFile(path)).rejects.toThrow(
    `container ID file found, make sure the other container isn't running or delete ${path}`,
  );
  expect(readFileSync(path, 'utf8')).toBe('old');
});

test('a path that cannot be written is named', async () => {
  await expect(openCidFile('/nosuch/cid')).rejects.toThrow(
    'failed to create the container ID file: open /nosuch/cid: no such file or directory',
  );
});
