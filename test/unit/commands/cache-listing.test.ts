import { expect, test } from 'vitest';

import {
  cacheListing,
  cacheSummary,
  prunedTable,
  verboseRecords,
} from '../../../src/commands/rows/cache-listing.ts';
import type { CacheRecord } from '../../../src/engine/build-cache.ts';
import { renderListing } from '../../../src/output/listing.ts';

const now = new Date('2026-01-02T04:04:05Z');

const step: CacheRecord = {
  id: 'abcdefghijklmnopqrstuvwxy',
  type: 'regular',
  description: '[2/2] RUN make',
  parents: ['zzzzzzzzzzzzzzzzzzzzzzzzz'],
  createdAt: Date.parse('2026-01-02T03:04:05.678Z'),
  lastUsedAt: Date.parse('2026-01-02T03:34:05Z'),
  usageCount: 2,
  inUse: true,
  shared: true,
  mutable: false,
  size: 12_345_678,
  name: '',
};
const mount: CacheRecord = {
  ...step,
  id: '0123456789012345678901234',
  type: 'exec.cachemount',
  description: '',
  parents: [],
  createdAt: Date.parse('2026-01-02T03:04:05Z'),
  inUse: false,
  shared: false,
  mutable: true,
  size: 4096,
};

test('what was pruned, as the writer of buildx aligns it: the first line with the heading, the others alone', () => {
  expect(prunedTable([step, mount], now)).toBe(
    'ID\t\t\t\t\t\tRECLAIMABLE\tSIZE\t\tLAST ACCESSED\n' +
      'abcdefghijklmnopqrstuvwxy               \tfalse\t\t12.35MB*  \t30 minutes ago\n' +
      '0123456789012345678901234*              \ttrue \t4.096kB   \t30 minutes ago\n',
  );
  expect(prunedTable([], now)).toBe('');
});

test('everything about a record', () => {
  expect(verboseRecords([step, mount], now)).toBe(
    `ID:\t\tabcdefghijklmnopqrstuvwxy
Parent:\t\tzzzzzzzzzzzzzzzzzzzzzzzzz
Created at:\t2026-01-02 03:04:05.678 +0000 UTC
Mutable:\tfalse
Reclaimable:\tfalse
Shared:\t\ttrue
Size:\t\t12.35MB
Description:\t[2/2] RUN make
Usage count:\t2
Last used:\t30 minutes ago
Type:\t\tregular

ID:\t\t0123456789012345678901234
Created at:\t2026-01-02 03:04:05 +0000 UTC
Mutable:\ttrue
Reclaimable:\ttrue
Shared:\t\tfalse
Size:\t\t4.096kB
Usage count:\t2
Last used:\t30 minutes ago
Type:\t\texec.cachemount

`,
  );
});

test('the table of builder du and what is below it', async () => {
  const table = { format: undefined, quiet: false };
  expect(await renderListing(cacheListing(now, true), [step, mount], table)).toBe(
    `ID                           RECLAIMABLE   SIZE       LAST ACCESSED
abcdefghijklmnopqrstuvwxy    false         12.35MB*   30 minutes ago
0123456789012345678901234*   true          4.096kB    30 minutes ago
`,
  );
  expect(cacheSummary([step, mount])).toBe(
    'Shared:\t\t12.35MB\nPrivate:\t4.096kB\nReclaimable:\t4.096kB\nTotal:\t\t12.35MB\n',
  );
  expect(cacheSummary([mount])).toBe('Reclaimable:\t4.096kB\nTotal:\t\t4.096kB\n');
});
