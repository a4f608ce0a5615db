import { describe, expect, test } from 'vitest';

import { imageFilter } from '../../../src/commands/rows/image-filter.ts';
import { imageListing, rowsOf } from '../../../src/commands/rows/image-listing.ts';
import { renderListing } from '../../../src/output/listing.ts';

const now = new Date('2026-11-20T21:37:00Z');
const image = {
  id: `sha256:${'9e564a282196'.padEnd(64, '0')}`,
  digest: `sha256:${'a'.repeat(64)}`,
  repoTags: ['busybox:latest', 'localhost:5000/bb:v1'],
  created: '2026-11-20T21:20:00Z',
  size: 1_980_000,
};

test("the table is docker's, a row for each name", async () => {
  const rows = [image, { ...image, repoTags: [], size: 123_456_789 }].flatMap(rowsOf);
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
  const shown = (filters: string[], operand?: string) => {
    const keep = imageFilter(filters, operand);
    return rowsOf(image)
      .filter((row) => keep(row, { a: 'b' }))
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
  ])('%j %s', (filters, operand, expected) => {
    expect(shown(filters, operand)).toEqual(expected);
  });

  test('a key that is not known is refused', () => {
    expect(() => shown(['foo=x'])).toThrow("invalid filter 'foo'");
    expect(() => shown(['since=x'])).toThrow('--filter since is not supported yet');
  });
});
