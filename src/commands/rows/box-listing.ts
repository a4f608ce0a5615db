/** What `ps` shows of a box, by Docker's field names. */
import { goQuote } from '../../go-quote.ts';
import { humanSize } from '../../output/human-size.ts';
import { timeAgo } from '../../output/human-duration.ts';
import type { Field, Listing } from '../../output/listing.ts';
import { localTime } from '../../output/local-time.ts';
import { describePorts } from '../../output/ports.ts';
import { ellipsis } from '../../output/truncate.ts';
import { stateOf, statusOf } from './box-status.ts';
import type { BoxRecord } from './records.ts';

const COMMAND_WIDTH = 20;
const MOUNT_WIDTH = 15;

export interface BoxListingOptions {
  truncate: boolean;
  now: Date;
  /** By ID, where they were asked for. */
  sizes?: BoxSizes | undefined;
  /** The table has a column for them. */
  sizeColumn?: boolean;
}

/** Bytes on a box's writable disk and in its whole root, by the box's ID. */
export type BoxSizes = ReadonlyMap<string, { disk: number; root: number }>;

export function boxListing({ truncate, now, sizes, sizeColumn }: BoxListingOptions): Listing<BoxRecord> {
  const cut = (text: string, length: number): string => (truncate ? ellipsis(text, length) : text);
  const fields: Record<string, Field<BoxRecord>> = {
    ID: { heading: 'CONTAINER ID', value: (box) => (truncate ? box.short_id : box.id) },
    Names: { heading: 'NAMES', value: (box) => box.name },
    Image: { heading: 'IMAGE', value: (box) => box.image },
    Command: {
      heading: 'COMMAND',
      value: (box) => goQuote(cut(commandOf(box), COMMAND_WIDTH)),
    },
    CreatedAt: { heading: 'CREATED AT', value: (box) => localTime(new Date(box.created_at)) },
    RunningFor: { heading: 'CREATED', value: (box) => timeAgo(new Date(box.created_at), now) },
    Ports: {
      heading: 'PORTS',
      value: (box) => (isUp(box) ? describePorts(box.port_map, box.exposed_ports) : ''),
    },
    State: { heading: 'STATE', value: stateOf },
    Status: { heading: 'STATUS', value: (box) => statusOf(box, now) },
    Size: { heading: 'SIZE', value: (box) => sizeOf(sizes?.get(box.id)) },
    Labels: {
      heading: 'LABELS',
      value: (box) =>
        Object.entries(box.labels)
          .map(([key, value]) => `${key}=${value}`)
          .toSorted()
          .join(','),
    },
    Mounts: {
      heading: 'MOUNTS',
      value: (box) =>
        box.volumes.map(({ name, source }) => cut(name === '' ? source : name, MOUNT_WIDTH)).join(','),
    },
    LocalVolumes: {
      heading: 'LOCAL VOLUMES',
      value: (box) => String(box.volumes.filter(({ type }) => type === 'volume').length),
    },
    Networks: {
      heading: 'NETWORKS',
      value: (box) => (box.network === 'none' ? 'none' : 'bridge'),
    },
    Platform: { heading: 'PLATFORM', value: () => null },
  };
  return {
    fields,
    methods: {
      Label: {
        heading: (key) => (key.split('.').at(-1) ?? key).replaceAll(/[-_]/g, ' '),
        value: (box, key) => (Object.hasOwn(box.labels, key) ? (box.labels[key] ?? '') : ''),
      },
    },
    table: [
      'ID',
      'Image',
      'Command',
      'RunningFor',
      'Status',
      'Ports',
      'Names',
      ...(sizeColumn === true ? ['Size'] : []),
    ],
    id: 'ID',
    typeName: 'ContainerContext',
  };
}

function sizeOf(size: { disk: number; root: number } | undefined): string {
  if (size === undefined) return '0B';
  return `${humanSize(size.disk)} (virtual ${humanSize(size.root)})`;
}

function isUp(box: BoxRecord): boolean {
  return box.status === 'running' || box.status === 'paused';
}

/** The argv as Docker's engine joins it: arguments with a space are quoted, the program is not. */
function commandOf(box: BoxRecord): string {
  const [program = '', ...args] = [...box.entrypoint, ...box.cmd];
  return [program, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}
