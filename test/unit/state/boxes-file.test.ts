import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { expect, test } from 'vitest';

import { deleteBox, updateBox } from '../../../src/state/box-updates.ts';
import { readBoxes, updateBoxes } from '../../../src/state/boxes-file.ts';
import { formatBoxes, parseBoxes } from '../../../src/state/boxes-format.ts';
import { type Layout, layoutOf } from '../../../src/state/layout.ts';
import { sampleRecord, sampleRecordIn } from '../../sample-record.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { ended, firstWords, startFixture } from './fixture/child.ts';

function newLayout(): Layout {
  return layoutOf(`${temporaryDirectory()}/home`);
}

test('without a file there are no boxes, and reading makes nothing', async () => {
  const layout = newLayout();
  expect(await readBoxes(layout)).toEqual([]);
  expect(() => statSync(layout.home)).toThrow('ENOENT');
});

test('an update is there for the next reader, in private files', async () => {
  const layout = newLayout();
  const record = sampleRecordIn(layout);
  expect(await updateBoxes(layout, (boxes) => boxes.push(record))).toBe(1);
  expect(await readBoxes(layout)).toEqual([record]);
  expect(readdirSync(layout.home)).toEqual(['boxes.json', 'boxes.lock', 'events.jsonl']);
  expect((statSync(layout.boxesFile).mode & 0o777).toString(8)).toBe('600');
  expect((statSync(layout.home).mode & 0o777).toString(8)).toBe('700');
});

test('an update that changes nothing writes nothing', async () => {
  const layout = newLayout();
  await updateBoxes(layout, (boxes) => boxes.push(sampleRecordIn(layout)));
  const before = statSync(layout.boxesFile, { bigint: true });
  await updateBoxes(layout, () => {});
  const after = statSync(layout.boxesFile, { bigint: true });
  expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
});

test('an update that throws leaves the file as it was', async () => {
  const layout = newLayout();
  await updateBoxes(layout, (boxes) => boxes.push(sampleRecord()));
  const failing = updateBoxes(layout, (boxes) => {
    boxes.length = 0;
    throw new Error('no luck');
  });
  await expect(failing).rejects.toThrow('no luck');
  expect(await readBoxes(layout)).toHaveLength(1);
});

test('a record that would be refused when read is not written', async () => {
  const layout = newLayout();
  const bad = updateBoxes(layout, (boxes) => boxes.push(sampleRecord({ name: 'a b' })));
  await expect(bad).rejects.toThrow('bad field name');
  expect(await readBoxes(layout)).toEqual([]);
});

test('updateBox changes one box and says null when it is gone', async () => {
  const layout = newLayout();
  const record = sampleRecordIn(layout);
  await updateBoxes(layout, (boxes) => boxes.push(record));
  const changed = await updateBox(layout, record.id, (box) => {
    box.exit_code = 3;
  });
  expect(changed?.exit_code).toBe(3);
  expect(await readBoxes(layout)).toEqual([{ ...record, exit_code: 3 }]);
  expect(await updateBox(layout, 'none', () => {})).toBeNull();
});

test('deleteBox removes record and directory, and does not mind when they are gone', async () => {
  const layout = newLayout();
  const record = sampleRecord({ box_dir: '/nowhere' });
  await updateBoxes(layout, (boxes) => boxes.push(record));
  mkdirSync(`${layout.boxesDir}/${record.short_id}/sockets`, { recursive: true });
  await deleteBox(layout, record.id);
  expect(await readBoxes(layout)).toEqual([]);
  expect(readdirSync(layout.boxesDir)).toEqual([]);
  await deleteBox(layout, record.id);
});

test('a corrupt file is set aside with a warning that says where, and its bytes are kept', async () => {
  const layout = newLayout();
  mkdirSync(layout.home);
  writeFileSync(layout.boxesFile, '{"version":1,"boxes":[{');
  const warnings: string[] = [];
  expect(await readBoxes(layout, (line) => warnings.push(line))).toEqual([]);
  const aside = readdirSync(layout.home).find((name) => name.startsWith('boxes.json.corrupt-'));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(`was set aside as ${layout.home}/${aside}.`);
  expect(readFileSync(`${layout.home}/${aside}`, 'utf8')).toBe('{"version":1,"boxes":[{');
  await updateBoxes(layout, (boxes) => boxes.push(sampleRecord()));
  expect(readFileSync(`${layout.home}/${aside}`, 'utf8')).toBe('{"version":1,"boxes":[{');
});

test('without somebody to warn a corrupt file stays where it is', async () => {
  const layout = newLayout();
  mkdirSync(layout.home);
  writeFileSync(layout.boxesFile, 'garbage');
  await expect(readBoxes(layout)).rejects.toMatchObject({ code: 'state_corrupt' });
  await expect(updateBoxes(layout, () => {})).rejects.toMatchObject({ code: 'state_corrupt' });
  expect(readFileSync(layout.boxesFile, 'utf8')).toBe('garbage');
});

test('a file of a newer version is refused and left alone', async () => {
  const layout = newLayout();
  mkdirSync(layout.home);
  writeFileSync(layout.boxesFile, '{"version":7,"boxes":[]}');
  const warnings: string[] = [];
  const update = updateBoxes(
    layout,
    (boxes) => boxes.push(sampleRecord()),
    (line) => warnings.push(line),
  );
  await expect(update).rejects.toMatchObject({ code: 'state_newer' });
  expect(readFileSync(layout.boxesFile, 'utf8')).toBe('{"version":7,"boxes":[]}');
  expect(warnings).toEqual([]);
});

test('a directory that cannot be written is an error that leaves the old file', async () => {
  const layout = newLayout();
  await updateBoxes(layout, (boxes) => boxes.push(sampleRecord()));
  mkdirSync(`${layout.boxesFile}.tmp`);
  const update = updateBoxes(layout, (boxes) => boxes.splice(0));
  await expect(update).rejects.toMatchObject({ code: 'io' });
  chmodSync(layout.home, 0o700);
  expect(await readBoxes(layout)).toHaveLength(1);
});

test('20 processes add boxes at once and none is lost', { timeout: 60_000 }, async () => {
  const layout = newLayout();
  const writers = Array.from({ length: 20 }, () => startFixture('add-boxes.ts', layout.home, '2'));
  const codes = await Promise.all(writers.map(ended));
  expect(codes).toEqual(Array.from({ length: 20 }, () => 0));
  expect(await readBoxes(layout)).toHaveLength(40);
  expect(readdirSync(layout.home)).toEqual(['boxes.json', 'boxes.lock', 'events.jsonl']);
});

test('a writer killed at any instant leaves a valid file and no lock', { timeout: 60_000 }, async () => {
  const layout = newLayout();
  for (let round = 0; round < 12; round += 1) {
    const writer = startFixture('add-boxes.ts', layout.home, '0');
    await firstWords(writer);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    writer.kill('SIGKILL');
    await ended(writer);
    const boxes = parseBoxes(readFileSync(layout.boxesFile, 'utf8'));
    expect(boxes.length).toBeGreaterThan(0);
    expect(await updateBoxes(layout, (fresh) => formatBoxes(fresh))).toBe(formatBoxes(boxes));
  }
  const left = readdirSync(layout.home).filter((name) => name !== 'boxes.json.tmp');
  expect(left).toEqual(['boxes.json', 'boxes.lock', 'events.jsonl']);
});

test('a state directory that was moved takes its boxes along', async () => {
  const old = newLayout();
  await updateBoxes(old, (boxes) => boxes.push(sampleRecordIn(old)));
  const layout = layoutOf(`${old.home}-elsewhere`);
  renameSync(old.home, layout.home);
  const moved = sampleRecordIn(layout);
  expect(moved.exec_socket_path).toBe(`${layout.boxesDir}/${moved.short_id}/sockets/exec.sock`);
  expect(await readBoxes(layout)).toEqual([moved]);
  await updateBoxes(layout, (boxes) => expect(boxes).toEqual([moved]));
  expect(parseBoxes(readFileSync(layout.boxesFile, 'utf8'))).toEqual([moved]);
});

test('where a box lies is known from its ID, whatever its record says', async () => {
  const layout = newLayout();
  mkdirSync(layout.home);
  writeFileSync(
    layout.boxesFile,
    formatBoxes([sampleRecord({ box_dir: '/home/other', console_log: '/etc/passwd' })]),
  );
  expect(await readBoxes(layout)).toEqual([sampleRecordIn(layout)]);
});
