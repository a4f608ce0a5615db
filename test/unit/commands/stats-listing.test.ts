import { expect, test } from 'vitest';

import { statsListing } from '../../../src/commands/rows/stats-listing.ts';
import { NO_USE } from '../../../src/engine/stats.ts';
import { renderListing } from '../../../src/output/listing.ts';
import { sampleRecord } from '../../sample-record.ts';

const BOX = sampleRecord({ short_id: 'ddc5b96ebf9b', name: 'd1' });
const USAGE = {
  cpuPercent: 12.345,
  memoryBytes: 812 * 1024,
  memoryLimitBytes: 512 * 1024 ** 2,
  pids: 1,
  receivedBytes: 890,
  sentBytes: 126,
  readBytes: 1_330_000,
  writtenBytes: 0,
  hostCpuPercent: 1,
  hostMemoryBytes: 1024 ** 2,
};

test('stats shows Docker’s columns', async () => {
  const listing = statsListing({ truncate: true });
  const text = await renderListing(
    listing,
    [
      { box: BOX, usage: USAGE },
      { box: BOX, usage: null },
      { box: BOX, usage: NO_USE },
    ],
    { format: undefined, quiet: false },
  );
  expect(text.split('\n')).toEqual([
    'CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O       BLOCK I/O     PIDS',
    'ddc5b96ebf9b   d1        12.35%    812KiB / 512MiB     0.15%     890B / 126B   1.33MB / 0B   1',
    'ddc5b96ebf9b   d1        --        -- / --             --        --            --            --',
    'ddc5b96ebf9b   d1        0.00%     0B / 0B             0.00%     0B / 0B       0B / 0B       0',
    '',
  ]);
});

test('stats tells what the VM costs the host', async () => {
  const format = '{{.HostCPUPerc}} {{.HostMemUsage}}';
  const rows = [{ box: BOX, usage: USAGE }];
  expect(await renderListing(statsListing({ truncate: true }), rows, { format, quiet: false })).toBe(
    '1.00% 1MiB\n',
  );
});
