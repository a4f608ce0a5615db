import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { buildOutputs, type OutputFlags } from '../../../../src/build/output/build-output.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const outputs = (given: readonly string[], flags: Partial<OutputFlags> = {}) =>
  buildOutputs({ outputs: given, push: false, load: false, tags: [], stdoutIsTerminal: false, ...flags });

const image = { names: [], form: 'oci', annotations: {} };
const stored = { type: 'image', push: false, store: true, insecure: false, ...image };

test.each<[string[], object]>([
  [[], stored],
  [['type=docker'], stored],
  [['type=image'], stored],
  [['type=image,name=a/b:1'], { ...stored, names: ['a/b:1'] }],
  [['type=image,"name=a,b",store=false'], { ...stored, names: ['a', 'b'], store: false }],
  [['type=registry,name=a'], { ...stored, names: ['a'], push: true }],
  [
    ['type=image,name=a,push=true,registry.insecure=true'],
    { ...stored, names: ['a'], push: true, insecure: true },
  ],
  [['type=image,oci-mediatypes=false'], { ...stored, form: 'docker' }],
  [['type=image,annotation.x.y=z'], { ...stored, annotations: { 'x.y': 'z' } }],
  [['TYPE=oci, dest =x'], { type: 'oci', dest: 'x', tar: true, ...image }],
  [['type=oci'], { type: 'oci', dest: '-', tar: true, ...image }],
  [['type=oci,dest=d,tar=false'], { type: 'oci', dest: 'd', tar: false, ...image }],
  [['type=docker,dest=x'], { type: 'docker', dest: 'x', tar: true, ...image, form: 'docker' }],
  [['out'], { type: 'local', dest: 'out' }],
  [['type=local,dest=out'], { type: 'local', dest: 'out' }],
  [['-'], { type: 'tar', dest: '-' }],
  [['type=tar'], { type: 'tar', dest: '-' }],
  [['type=tar,dest=x.tar'], { type: 'tar', dest: 'x.tar' }],
])('%j', (given, expected) => {
  expect(outputs(given)).toEqual([expected]);
});

test('tags name every image and archive', () => {
  expect(outputs(['type=oci,name=other', 'type=image', 'out'], { tags: ['a', 'b:1'] })).toEqual([
    { type: 'oci', dest: '-', tar: true, ...image, names: ['a', 'b:1'] },
    { ...stored, names: ['a', 'b:1'] },
    { type: 'local', dest: 'out' },
  ]);
});

test('--push pushes the images that are asked for, or makes one', () => {
  const pushed = { ...stored, names: ['a'], push: true };
  expect(outputs([], { push: true, tags: ['a'] })).toEqual([pushed]);
  expect(outputs(['type=image'], { push: true, tags: ['a'] })).toEqual([pushed]);
  expect(outputs(['out'], { push: true, tags: ['a'] })).toEqual([{ type: 'local', dest: 'out' }, pushed]);
});

test('--load makes an image beside what else is asked for', () => {
  expect(outputs(['out'], { load: true })).toEqual([{ type: 'local', dest: 'out' }, stored]);
  expect(outputs(['type=docker'], { load: true })).toEqual([stored]);
});

test('type=cacheonly makes nothing', () => {
  expect(outputs(['type=cacheonly'])).toEqual([]);
});

test.each<[string[], Partial<OutputFlags>, string]>([
  [['dest=x,y'], {}, 'invalid value y'],
  [['dest=x,name=y'], {}, 'type is required for output'],
  [['type=local'], {}, 'dest is required for local exporter'],
  [['type=local,dest=-'], {}, 'dest cannot be stdout for local exporter'],
  [['type=oci,tar=false'], {}, 'dest is required for oci exporter'],
  [['-', 'type=oci'], {}, 'multiple outputs configured to write to stdout'],
  [['-'], { stdoutIsTerminal: true }, 'dest file is required for tar exporter. refusing to write to console'],
  [['type=registry'], {}, 'tag is needed when pushing to registry'],
  [[], { push: true }, 'tag is needed when pushing to registry'],
  [[], { tags: ['a:b:c'] }, 'invalid tag "a:b:c": invalid reference format'],
  [['type=nope'], {}, 'exporter "nope" could not be found'],
  [
    ['type=image,push=maybe'],
    {},
    'non-bool value specified for push: strconv.ParseBool: parsing "maybe": invalid syntax',
  ],
  [['type=image,compression=lzma'], {}, 'unsupported compression type lzma'],
  [['type=image,compression=zstd'], {}, 'compression=zstd is not supported'],
])('%j is refused', (given, flags, message) => {
  expect(() => outputs(given, flags)).toThrow(message);
});

test('a destination of the wrong kind is refused before anything is built', () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'file');
  writeFileSync(file, '');
  mkdirSync(join(directory, 'sub'));
  expect(() => outputs([`type=tar,dest=${directory}/sub`])).toThrow(
    `destination file ${directory}/sub is a directory`,
  );
  expect(() => outputs([file])).toThrow(`destination directory ${file} is a file`);
  expect(() => outputs([`type=tar,dest=${file}/x`])).toThrow(
    `invalid destination file: ${file}/x: stat ${file}/x: not a directory`,
  );
});
