import { expect, test } from 'vitest';

import { pruneFilter, type ListedVolume, volumeFilter } from '../../../src/commands/rows/volume-filter.ts';
import { volumeListing } from '../../../src/commands/rows/volume-listing.ts';
import { renderListing } from '../../../src/output/listing.ts';

const volume = (Name: string, changes: Partial<ListedVolume> = {}): ListedVolume => ({
  CreatedAt: '2026-01-02T03:04:05Z',
  Driver: 'local',
  Labels: null,
  Mountpoint: `/v/${Name}/_data`,
  Name,
  Options: null,
  Scope: 'local',
  inUse: false,
  ...changes,
});
const volumes = [volume('data'), volume('v1', { Labels: { k: 'v', a: '' }, inUse: true })];

test.each([
  [undefined, 'DRIVER    VOLUME NAME\nlocal     data\nlocal     v1\n'],
  ['{{.Name}} {{.Mountpoint}} {{.Labels}}', 'data /v/data/_data \nv1 /v/v1/_data a=,k=v\n'],
  ['{{.Label "k"}}', '\nv\n'],
])('the list as %j', async (format, text) => {
  expect(await renderListing(volumeListing, volumes, { format, quiet: false })).toBe(text);
});

test('the list as JSON has the fields of Docker', async () => {
  expect(await renderListing(volumeListing, volumes.slice(0, 1), { format: 'json', quiet: false })).toBe(
    '{"Availability":"N/A","Driver":"local","Group":"N/A","Labels":"","Links":"N/A",' +
      '"Mountpoint":"/v/data/_data","Name":"data","Scope":"local","Size":"N/A","Status":"N/A"}\n',
  );
});

test.each([
  [['dangling=true'], ['data']],
  [['dangling=0'], ['v1']],
  [['driver=local'], ['data', 'v1']],
  [['driver=nfs'], []],
  [['name=^v'], ['v1']],
  [['name=a'], ['data']],
  [['label=k'], ['v1']],
  [['label=k=x'], []],
  [['name=data', 'name=v1', 'label=k=v'], ['v1']],
])('--filter %j', (filters, names) => {
  expect(volumes.filter(volumeFilter(filters)).map(({ Name }) => Name)).toEqual(names);
});

test.each([
  ['dangling=maybe', "invalid filter 'dangling=maybe'"],
  ['foo=bar', "invalid filter 'foo'"],
])('--filter %s is refused', (filter, message) => {
  expect(() => volumeFilter([filter])).toThrow(message);
});

test('prune keeps what has a label, or has it not', () => {
  expect(pruneFilter(['label=k']).matches({ k: 'v' })).toBe(true);
  expect(pruneFilter(['label=k']).matches({})).toBe(false);
  expect(pruneFilter(['label!=k']).matches({ k: 'v' })).toBe(false);
  expect(pruneFilter(['label!=k=x']).matches({ k: 'v' })).toBe(true);
  expect([pruneFilter([]).all, pruneFilter(['all=1']).all, pruneFilter(['all=false']).all]).toEqual([
    undefined,
    true,
    false,
  ]);
});
