import { describe, expect, test } from 'vitest';

import { checkSettings } from '../../../src/engine/settings/check.ts';
import { settingsJson } from '../../../src/engine/settings/settings-json.ts';
import { runRequest } from '../../../src/runtime/monitor/run-request.ts';
import { none, slirp } from '../../../src/runtime/network.ts';
import { isSettings, ownSettings, settingsOf, type BoxSettings } from '../../../src/state/box-settings.ts';
import { effectiveCapabilities } from '../../../src/state/capabilities.ts';
import { logAttributes, maxFiles, maxSize } from '../../../src/state/log-options.ts';
import { assertRecord } from '../../../src/state/record-check.ts';
import { sampleRecord } from '../../sample-record.ts';

const MEMORY = 512 * 1024 * 1024;

test.for<[Partial<BoxSettings>, string]>([
  [{ oom_score_adj: 1001 }, 'Invalid value 1001, range for oom score adj is [-1000, 1000]'],
  [{ pids_limit: 4_194_305 }, 'Maximum pids limit allowed is 4194304; -1 sets none'],
  [{ shm_size: 0 }, 'SHM size can not be less than 0'],
  [{ storage_size: 1000 }, "--storage-opt size is 1000 bytes: a box's disk has 1m to 64g"],
  [{ storage_size: 2 ** 37 }, "--storage-opt size is 137438953472 bytes: a box's disk has 1m to 64g"],
  [{ domainname: 'a b' }, 'invalid domainname: a b'],
  [{ memory_swap: 1 }, 'Minimum memoryswap limit should be larger than memory limit, see usage'],
  [
    { memory_reservation: MEMORY + 1 },
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  ],
  [
    { memory_swap: MEMORY + 1 },
    `--memory-swap ${MEMORY + 1} is not supported: a box has no swap; it equals --memory (${MEMORY}) or is -1`,
  ],
])('%j is refused', ([settings, message]) => {
  expect(() => checkSettings(settings, MEMORY)).toThrow(message);
});

test('swap equal to the memory, or without a bound, is what a box has anyway', () => {
  for (const memory_swap of [MEMORY, -1, 0]) checkSettings({ memory_swap }, MEMORY);
});

test('sizes of logs are in powers of 1000, as docker reads them', () => {
  const sizes = ['10k', '1.5m', '2G', '7'].map((text) => maxSize({ 'max-size': text }));
  expect(sizes).toEqual([10_000, 1_500_000, 2e9, 7]);
  expect([maxSize({}), maxSize({ 'max-size': '-1' })]).toEqual([Infinity, Infinity]);
  expect([maxFiles({}), maxFiles({ 'max-file': '3' })]).toEqual([1, 3]);
});

test('lines of a log carry the labels and variables that its options name', () => {
  const box = sampleRecord({ labels: { a: '1', b: '2' }, env: ['X=y=z', 'XX=no'] });
  expect(logAttributes({ labels: 'a,nosuch', env: 'X' }, box)).toEqual({ a: '1', X: 'y=z' });
  expect(logAttributes({ labels: 'nosuch' }, box)).toBeUndefined();
});

describe('records', () => {
  test('hold only what is not the default', () => {
    expect(ownSettings(settingsOf({}))).toBeUndefined();
    expect(ownSettings({ ...settingsOf({}), privileged: true, cap_add: [] })).toEqual({ privileged: true });
  });

  test('are sound with and without settings, and not with unsound ones', () => {
    expect(() => assertRecord(sampleRecord())).not.toThrow();
    expect(() => assertRecord(sampleRecord({ settings: { privileged: true } }))).not.toThrow();
    for (const bad of [
      1,
      { privileged: 1 },
      { cap_add: 'ALL' },
      { sysctls: { a: 1 } },
      { shm_size: 1.5 },
      { log_driver: 'syslog' },
      { ulimits: [{ name: 'nofile' }] },
    ]) {
      expect(isSettings(bad)).toBe(false);
    }
    expect(isSettings({ ulimits: [{ name: 'cpu', soft: 1, hard: 1 }], unknown: 1 })).toBe(true);
  });
});

test('capabilities follow docker’s rules', () => {
  const has = (cap_add: string[], cap_drop: string[], privileged = false) =>
    effectiveCapabilities({ cap_add, cap_drop, privileged });
  expect(has([], [])).toBeNull();
  expect(has([], ['ALL'])).toEqual([]);
  expect(has(['CAP_CHOWN'], ['ALL'])).toEqual(['CHOWN']);
  expect(has(['CAP_CHOWN'], ['CAP_CHOWN'])).toContain('CHOWN');
  expect(has([], ['CAP_CHOWN'])).toHaveLength(13);
  expect(has(['ALL'], ['CAP_SYS_ADMIN'])).toHaveLength(40);
  expect(has([], ['ALL'], true)).toHaveLength(41);
});

describe('the run request', () => {
  const options = { mounts: [], rows: 0, cols: 0 };
  const request = async (settings?: Partial<BoxSettings>) => {
    const record = sampleRecord(settings === undefined ? {} : { settings });
    return runRequest(record, { ...options, network: await slirp.attach(record) });
  };

  test('has no settings for a box without any', async () => {
    expect(await request()).not.toHaveProperty('settings');
  });

  test('has what was set, and nothing else', async () => {
    const settings: Partial<BoxSettings> = {
      privileged: true,
      domainname: 'example.org',
      extra_hosts: ['six:::1'],
      dns_search: ['.', 'a.example'],
      dns_options: ['ndots:2'],
      pids_limit: 7,
      storage_size: 5,
      shm_size: 6,
      ulimits: [{ name: 'nofile', soft: 1, hard: -1 }],
    };
    expect(await request(settings)).toMatchObject({
      hosts: ['::1\tsix', '10.0.2.15 3e54fbf999f5.example.org 3e54fbf999f5'],
      limits: { pids: 7 },
      network: { search: ['a.example'], options: ['ndots:2'] },
      settings: {
        domainname: 'example.org',
        shm_bytes: 6,
        disk_bytes: 5,
        rlimits: [{ kind: 'nofile', soft: 1, hard: null }],
        unmasked: true,
      },
    });
  });

  test('has the caller’s hosts without a network, too', async () => {
    const record = sampleRecord({ network: 'none', settings: { extra_hosts: ['a:192.0.2.1'] } });
    const network = await none.attach(record);
    expect(runRequest(record, { ...options, network })).toMatchObject({ hosts: ['192.0.2.1\ta'] });
  });
});

test('a box without settings looks to inspect as one of docker’s without flags', () => {
  expect(settingsJson(sampleRecord())).toEqual({
    LogConfig: { Type: 'json-file', Config: {} },
    CapAdd: null,
    CapDrop: null,
    DnsOptions: [],
    DnsSearch: [],
    ExtraHosts: null,
    GroupAdd: null,
    OomScoreAdj: 0,
    Privileged: false,
    SecurityOpt: null,
    ShmSize: 67_108_864,
    CpuPeriod: 0,
    CpuQuota: 0,
    NanoCpus: 2_000_000_000,
    MemoryReservation: 0,
    MemorySwap: MEMORY,
    PidsLimit: null,
    Ulimits: [],
  });
});
