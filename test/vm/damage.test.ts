import {
  chmodSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { a3s, a3sOk } from '../e2e/fixture/cli.ts';
import { home } from '../e2e/fixture/home.ts';
import { readBoxesFile, recordOf } from '../e2e/fixture/records.ts';

const boxes = boxesOf('damage');

function squashfs(): string {
  const dir = join(home(), 'images', 'rootfs');
  const [name = ''] = readdirSync(dir).filter((file) => file.endsWith('.squashfs'));
  return join(dir, name);
}

describe('a root filesystem that is damaged is made again', () => {
  test.each<[string, (file: string) => void]>([
    ['missing', (file) => rmSync(file)],
    ['truncated', (file) => truncateSync(file, 4096)],
    ['altered', (file) => writeFileSync(file, readFileSync(file).fill(0xa5, 4096, 8192))],
  ])('%s', async (_name, damage) => {
    const file = squashfs();
    const before = readFileSync(file);
    chmodSync(file, 0o600);
    damage(file);
    expect(await a3s(['run', '--rm', 'a3s/base', 'echo', 'well'])).toMatchObject({
      status: 0,
      out: 'well\n',
      err: '',
    });
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o400);
  });
});

describe('a boxes.json that is damaged is set aside with a warning, and the command goes on', () => {
  test.each<[string, (text: string) => string]>([
    ['empty', () => ''],
    ['cut off', (text) => text.slice(0, -20)],
    ['with a bad record', (text) => text.replace(/"memory_mb":\d+/, '"memory_mb":"lots"')],
  ])('%s', async (_name, damage) => {
    const name = boxes.name('kept');
    await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
    const file = join(home(), 'boxes.json');
    const sound = readFileSync(file, 'utf8');
    writeFileSync(file, damage(sound));
    const { status, out, err } = await a3s(['run', '--rm', 'a3s/base', 'echo', 'well']);
    expect({ status, out }).toEqual({ status: 0, out: 'well\n' });
    expect(err).toMatch(
      /^Warning: .*boxes\.json is damaged \(.+\) and was set aside as .*boxes\.json\.corrupt-/,
    );
    expect(readBoxesFile()).toEqual([]);
    const [aside = ''] = readdirSync(home()).filter((entry) => entry.startsWith('boxes.json.corrupt-'));
    expect(readFileSync(join(home(), aside), 'utf8')).toBe(damage(sound));
    // What the user would do: mend it and put it back.
    renameSync(join(home(), aside), file);
    writeFileSync(file, sound);
    expect(await a3s(['start', '-a', name])).toMatchObject({ status: 0, out: '', err: '' });
  });
});

test('a box whose disk is lost says so and does not start with an empty one', async () => {
  const name = boxes.name('disk');
  await a3sOk(['run', '--name', name, 'a3s/base', 'sh', '-c', 'echo kept > /file']);
  rmSync(join(recordOf(name).box_dir, 'scratch.qcow2'));
  const { status, err } = await a3s(['start', name]);
  expect(status).toBe(1);
  expect(err).toContain(`the box's disk ${recordOf(name).box_dir}/scratch.qcow2 is missing`);
  expect(recordOf(name)).toMatchObject({ status: 'stopped', pid: null });
});

test('a box whose disk is damaged does not run, and is told why within the deadline', async () => {
  const name = boxes.name('garbage');
  await a3sOk(['run', '--name', name, 'a3s/base', 'sh', '-c', 'echo kept > /file']);
  writeFileSync(join(recordOf(name).box_dir, 'scratch.qcow2'), 'no qcow2');
  const { status, err, ms } = await a3s(['start', name], { env: { A3S_BOX_BOOT_TIMEOUT: '10' } });
  expect(status).toBe(1);
  expect(err).toContain(
    `the box's disk ${recordOf(name).box_dir}/scratch.qcow2 cannot be used: Image is not`,
  );
  expect(ms).toBeLessThan(30_000);
  expect(recordOf(name)).toMatchObject({ status: 'stopped', pid: null });
});
