/** What exporters write, read by skopeo and umoci. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  createWriteStream,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';

import { exportLocal } from '../../../../src/build/output/export-local.ts';
import { exportArchive, exportLayout } from '../../../../src/build/output/exporters.ts';
import { metadataJson } from '../../../../src/build/output/metadata.ts';
import type { WrittenImage } from '../../../../src/build/output/write-image.ts';
import type { Layout } from '../../../../src/state/layout.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { emptyStore, leaseOf } from '../cache/fixture/store.ts';
import { type Member, tar } from '../../images/layers/fixture/tar.ts';
import { buildSmall, write } from './fixture.ts';

const { signal } = new AbortController();

async function written(form: 'oci' | 'docker'): Promise<{ layout: Layout; image: WrittenImage }> {
  const layout = emptyStore();
  const lease = leaseOf(layout);
  return { layout, image: await write(layout, lease, await buildSmall(layout, lease), { form }) };
}

const asked = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

test.each(['oci', 'docker'] as const)('skopeo reads an archive in the form of %s', async (form) => {
  const { layout, image } = await written(form);
  const file = join(temporaryDirectory(), 'image.tar');
  const sink = createWriteStream(file);
  await exportArchive(layout, image, { names: ['small:1'], sink, signal });
  sink.end();
  await finished(sink);
  const config = asked('skopeo', 'inspect', '--raw', '--config', `${form}-archive:${file}`);
  expect(JSON.parse(config)).toMatchObject({ config: { Cmd: ['sh'] }, history: [{}, {}, {}] });
  const shown: unknown = JSON.parse(asked('skopeo', 'inspect', `${form}-archive:${file}`));
  expect(shown).toMatchObject({ Architecture: 'amd64', Os: 'linux', Created: '2026-01-02T03:04:05Z' });
});

test('umoci unpacks a layout that was exported, beside what was there', async () => {
  const { layout, image } = await written('oci');
  const directory = join(temporaryDirectory(), 'layout');
  await exportLayout(layout, image, { directory, names: ['small:1'], signal });
  await exportLayout(layout, image, { directory, names: ['small:2'], signal });
  expect(asked('umoci', 'ls', '--layout', directory)).toBe('1\n2\n');
  const bundle = join(temporaryDirectory(), 'bundle');
  asked('umoci', 'unpack', '--rootless', '--image', `${directory}:2`, bundle);
  expect(readFileSync(join(bundle, 'rootfs', 'file'), 'utf8')).toBe('hello');
});

const members: Member[] = [
  { name: './', type: '5', mode: 0o711 },
  { name: 'dir/', type: '5', mode: 0o2750, mtime: 1_500_000_000, uid: 7 },
  { name: 'dir/file', content: 'text', mode: 0o640, mtime: 1_400_000_000, uid: 7 },
  { name: 'dir/again', type: '1', link: 'dir/file' },
  { name: 'link', type: '2', link: '/etc/passwd', mtime: 1_300_000_000 },
  { name: 'pipe', type: '6' },
];

const local = async (directory: string, notify = (_line: string): void => undefined, given = members) =>
  exportLocal(Readable.from([tar(...given)]), directory, { signal, notify });

test('a tree becomes the user\u2019s: modes, times and links as they were', async () => {
  const directory = join(temporaryDirectory(), 'new', 'out');
  const told: string[] = [];
  await local(directory, (line) => told.push(line));
  expect(readdirSync(directory).toSorted()).toEqual(['dir', 'link']);
  expect(told).toEqual(['WARNING: left out "pipe": a device or pipe']);
  const file = statSync(join(directory, 'dir', 'file'));
  expect(file.mode & 0o7777).toBe(0o640);
  expect(file.mtimeMs).toBe(1_400_000_000_000);
  expect(file.uid).toBe(process.getuid?.());
  expect(file.nlink).toBe(2);
  const dir = statSync(join(directory, 'dir'));
  expect([dir.mode & 0o7777, dir.mtimeMs]).toEqual([0o2750, 1_500_000_000_000]);
  expect(readlinkSync(join(directory, 'link'))).toBe('/etc/passwd');
  expect(lstatSync(join(directory, 'link')).mtimeMs).toBe(1_300_000_000_000);
});

test('what is there is merged with, and replaced where it is in the way', async () => {
  const directory = temporaryDirectory();
  const outside = temporaryDirectory();
  chmodSync(directory, 0o705);
  writeFileSync(join(directory, 'other'), 'stays');
  mkdirSync(join(directory, 'link', 'deep'), { recursive: true });
  writeFileSync(join(directory, 'link', 'deep', 'file'), '');
  symlinkSync(outside, join(directory, 'dir'));
  await local(directory);
  expect(readFileSync(join(directory, 'other'), 'utf8')).toBe('stays');
  expect(lstatSync(join(directory, 'link')).isSymbolicLink()).toBe(true);
  expect(lstatSync(join(directory, 'dir')).isDirectory()).toBe(true);
  expect(readdirSync(outside)).toEqual([]);
  // The directory itself stays as the user made it.
  expect(statSync(directory).mode & 0o777).toBe(0o705);
});

test('what the system refuses is told with the path as the user knows it', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'file'), '');
  const below = join(directory, 'file', 'out');
  await expect(local(below)).rejects.toThrow(`mkdir ${below}: not a directory`);
  await expect(local(directory, undefined, [{ name: 'l', type: '1', link: 'none' }])).rejects.toThrow(
    `link ${directory}/l: no such file or directory`,
  );
});

test('no link of the tree leads out of the directory', async () => {
  const directory = temporaryDirectory();
  const outside = temporaryDirectory();
  await local(directory, undefined, [
    { name: 'way', type: '2', link: outside },
    { name: 'way/file', content: 'x' },
  ]);
  expect(readdirSync(outside)).toEqual([]);
  expect(readFileSync(join(directory, 'way', 'file'), 'utf8')).toBe('x');
  await expect(local(directory, undefined, [{ name: '../file', content: 'x' }])).rejects.toThrow(
    'cannot write "../file": it leads out of the destination',
  );
  expect(existsSync(join(directory, '..', 'file'))).toBe(false);
});

test('--metadata-file', async () => {
  const { image } = await written('oci');
  const { mediaType, digest, size } = image.entry;
  expect(metadataJson({ buildRef: 'default/default/abc', image, names: ['a', 'b/c:1'] })).toBe(
    JSON.stringify(
      {
        'buildx.build.ref': 'default/default/abc',
        'containerimage.config.digest': image.id,
        'containerimage.descriptor': { mediaType, digest, size },
        'containerimage.digest': digest,
        'image.name': 'docker.io/library/a:latest,docker.io/b/c:1',
      },
      null,
      2,
    ),
  );
  expect(metadataJson({ buildRef: 'r', image: null, names: [] })).toBe('{\n  "buildx.build.ref": "r"\n}');
});
