import { describe, expect, test } from 'vitest';

import { type FilteredImage, imageFilter } from '../../../src/commands/rows/image-filter.ts';
import { imageListing, rowsOf } from '../../../src/commands/rows/image-listing.ts';
import { renderListing } from '../../../src/output/listing.ts';

const now = new Date('2026-11-20T21:37:00Z');
const image = {
  id: `sha256:${'9e564a282196'.padEnd(64, '0')}`,
  repoTags: ['busybox:latest', 'localhost:5000/bb:v1'],
  repoDigests: [`localhost:5000/bb@sha256:${'a'.repeat(64)}`],
  created: '2026-11-20T21:20:00Z',
  size: 1_980_000,
  config: { labels: { a: 'b' } },
};

test("the table is docker's, a row for each name", async () => {
  const rows = [image, { ...image, repoTags: [], repoDigests: [], size: 123_456_789 }].flatMap(rowsOf);
  const listing = imageListing({ truncate: true, digests: false, now });
  expect(await renderListing(listing, rows, { format: undefined, quiet: false })).toBe(
    `REPOSITORY          TAG       IMAGE ID       CREATED          SIZE
busybox             latest    9e564a282196   17 minutes ago   1.98MB
localhost:5000/bb   v1        9e564a282196   17 minutes ago   1.98MB
<none>              <none>    9e564a282196   17 minutes ago   123MB
`,
  );
});

test('quiet and untruncated IDs', async () => {
  const options = { format: undefined, quiet: true };
  const short = imageListing({ truncate: true, digests: false, now });
  const full = imageListing({ truncate: false, digests: false, now });
  expect(await renderListing(short, rowsOf(image).slice(1), options)).toBe('9e564a282196\n');
  expect(await renderListing(full, rowsOf(image).slice(1), options)).toBe(`${image.id}\n`);
});

describe('filters', () => {
  const others: Record<string, FilteredImage> = {
    old: { created: '2026-11-20T21:00:00Z', config: { labels: {} } },
    new: { created: '2026-11-20T21:30:00Z', config: { labels: {} } },
  };
  const find = async (name: string): Promise<FilteredImage> =>
    others[name] ?? Promise.reject(new Error(name));
  const shown = async (filters: string[], operand?: string) => {
    const keep = await imageFilter(filters, operand, find);
    return rowsOf(image)
      .filter((row) => keep(row, image))
      .map(({ repository }) => repository);
  };

  test.each<[string[], string | undefined, string[]]>([
    [[], undefined, ['busybox', 'localhost:5000/bb']],
    [[], 'busybox', ['busybox']],
    [[], 'busybox:v2', []],
    [['reference=busy*:latest'], undefined, ['busybox']],
    [['reference=busybox', 'reference=localhost:5000/*'], undefined, ['busybox', 'localhost:5000/bb']],
    [['dangling=true'], undefined, []],
    [['label=a'], undefined, ['busybox', 'localhost:5000/bb']],
    [['label=a', 'label=a=c'], undefined, []],
    [['dangling=false', 'reference=busybox'], undefined, ['busybox']],
    [['since=old', 'before=new', 'reference=busybox'], undefined, ['busybox']],
    [['since=new'], undefined, []],
    [['before=old'], undefined, []],
    [['until=2026-11-20T21:20:00Z'], undefined, []],
    [['until=2026-11-20T21:20:01Z', 'reference=busybox'], undefined, ['busybox']],
  ])('%j %s', async (filters, operand, expected) => {
    expect(await shown(filters, operand)).toEqual(expected);
  });

  test('a key or a value that is not known is refused', async () => {
    await expect(shown(['foo=x'])).rejects.toThrow("invalid filter 'foo'");
    await expect(shown(['dangling=x'])).rejects.toThrow("invalid filter 'dangling=[x]'");
    await expect(shown(['since=x'])).rejects.toThrow('x');
  });
});

test('an image that has only a digest in a repository has a row for it', () => {
  const [, digest] = image.repoDigests[0]?.split('@') ?? [];
  expect(rowsOf({ ...image, repoTags: ['busybox:latest'] })).toMatchObject([
    { repository: 'busybox', tag: 'latest', digest: '<none>' },
    { repository: 'localhost:5000/bb', tag: '<none>', digest },
  ]);
});
