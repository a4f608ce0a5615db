/** What `stats` shows of a box, by Docker's field names; `HostCPUPerc` and `HostMemUsage` are ours. Pure. */
import type { BoxUsage } from '../../engine/stats.ts';
import { binarySize, humanSize } from '../../output/human-size.ts';
import type { Field, Listing } from '../../output/listing.ts';
import type { BoxRecord } from './records.ts';

export interface StatsRow {
  box: BoxRecord;
  /** Null for a paused box of which nothing is known. */
  usage: BoxUsage | null;
}

const NOTHING = '--';

export function statsListing({ truncate }: { truncate: boolean }): Listing<StatsRow> {
  const id = ({ box }: StatsRow): string => (truncate ? box.short_id : box.id);
  const of =
    (shown: (usage: BoxUsage) => string, nothing = NOTHING): Field<StatsRow>['value'] =>
    ({ usage }) =>
      usage === null ? nothing : shown(usage);
  const pair = `${NOTHING} / ${NOTHING}`;
  const size = (bytes: number): string => humanSize(bytes, 3);
  return {
    fields: {
      Container: { heading: 'CONTAINER', value: id },
      ID: { heading: 'CONTAINER ID', value: id },
      Name: { heading: 'NAME', value: ({ box }) => box.name },
      CPUPerc: { heading: 'CPU %', value: of(({ cpuPercent }) => percent(cpuPercent)) },
      MemUsage: {
        heading: 'MEM USAGE / LIMIT',
        value: of(
          ({ memoryBytes, memoryLimitBytes }) =>
            `${binarySize(memoryBytes)} / ${binarySize(memoryLimitBytes)}`,
          pair,
        ),
      },
      MemPerc: {
        heading: 'MEM %',
        value: of(({ memoryBytes, memoryLimitBytes }) =>
          percent((memoryBytes / Math.max(memoryLimitBytes, 1)) * 100),
        ),
      },
      NetIO: {
        heading: 'NET I/O',
        value: of(({ receivedBytes, sentBytes }) => `${size(receivedBytes)} / ${size(sentBytes)}`),
      },
      BlockIO: {
        heading: 'BLOCK I/O',
        value: of(({ readBytes, writtenBytes }) => `${size(readBytes)} / ${size(writtenBytes)}`),
      },
      PIDs: { heading: 'PIDS', value: of(({ pids }) => String(pids)) },
      HostCPUPerc: {
        heading: 'HOST CPU %',
        value: of(({ hostCpuPercent }) => percent(hostCpuPercent)),
      },
      HostMemUsage: {
        heading: 'HOST MEM',
        value: of(({ hostMemoryBytes }) => binarySize(hostMemoryBytes)),
      },
    },
    table: ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'],
    id: 'ID',
    typeName: 'StatsContext',
  };
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}
