/** What `system df` shows, by Docker's field names. */
import type { CacheRecord } from '../../engine/build-cache.ts';
import type { BoxUsage, DiskUsage, ImageUsage, VolumeUsage } from '../../engine/disk-usage.ts';
import { humanSize } from '../../output/human-size.ts';
import type { Listing } from '../../output/listing.ts';
import { boxListing } from './box-listing.ts';
import { imageListing, type ImageRow, rowsOf } from './image-listing.ts';

/** One kind of thing: how many there are, how many in use, and their bytes. */
export interface UsageRow {
  type: string;
  total: number;
  active: number;
  size: number;
  reclaimable: number;
}

const DIGITS = 4;
const BUILD_CACHE = 'Build Cache';

/** Docker's four rows. Of the build cache counts what no image has. */
export function usageRows({ images, layersSize, boxes, volumes, buildCache }: DiskUsage): UsageRow[] {
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);
  const used = sum(images.filter((each) => each.boxes > 0).map(({ image, shared }) => image.size - shared));
  const idle = boxes.filter(({ box }) => box.status !== 'running' && box.status !== 'paused');
  return [
    {
      type: 'Images',
      total: images.length,
      active: images.filter((each) => each.boxes > 0).length,
      size: layersSize,
      reclaimable: Math.max(layersSize - used, 0),
    },
    {
      type: 'Containers',
      total: boxes.length,
      active: boxes.length - idle.length,
      size: sum(boxes.map(({ size }) => size)),
      reclaimable: sum(idle.map(({ size }) => size)),
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: volumes.filter(({ links }) => links > 0).length,
      size: sum(volumes.map(({ size }) => size)),
      reclaimable: sum(volumes.filter(({ links }) => links === 0).map(({ size }) => size)),
    },
    {
      type: BUILD_CACHE,
      total: buildCache.length,
      active: buildCache.filter(({ inUse }) => inUse).length,
      size: cacheSize(buildCache),
      reclaimable: cacheSize(buildCache.filter(({ inUse }) => !inUse)),
    },
  ];
}

/** Bytes of the records that no image has as well. */
export function cacheSize(records: readonly CacheRecord[]): number {
  return records.filter(({ shared }) => !shared).reduce((sum, { size }) => sum + size, 0);
}

export const usageListing: Listing<UsageRow> = {
  fields: {
    Type: { heading: 'TYPE', value: ({ type }) => type },
    TotalCount: { heading: 'TOTAL', value: ({ total }) => String(total) },
    Active: { heading: 'ACTIVE', value: ({ active }) => String(active) },
    Size: { heading: 'SIZE', value: ({ size }) => humanSize(size, DIGITS) },
    Reclaimable: {
      heading: 'RECLAIMABLE',
      value: ({ type, size, reclaimable }) => {
        // Docker tells no part of the build cache.
        const percent =
          size > 0 && type !== BUILD_CACHE ? ` (${Math.floor((reclaimable * 100) / size)}%)` : '';
        return `${humanSize(reclaimable, DIGITS)}${percent}`;
      },
    },
  },
  table: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
  id: 'Type',
  typeName: 'diskUsageContext',
};

type UsedImageRow = ImageRow & Pick<ImageUsage, 'shared' | 'boxes'>;

export function imageUsageRows(images: readonly ImageUsage[]): UsedImageRow[] {
  return images.flatMap(({ image, shared, boxes }) =>
    rowsOf(image).map((row) => ({ ...row, shared, boxes })),
  );
}

export function imageUsageListing(now: Date): Listing<UsedImageRow> {
  const { fields } = imageListing({ truncate: true, digests: false, now });
  return {
    fields: {
      ...fields,
      SharedSize: { heading: 'SHARED SIZE', value: ({ shared }) => humanSize(shared, DIGITS) },
      UniqueSize: { heading: 'UNIQUE SIZE', value: ({ size, shared }) => humanSize(size - shared, DIGITS) },
      Containers: { heading: 'CONTAINERS', value: ({ boxes }) => String(boxes) },
    },
    table: ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'],
    id: 'ID',
    typeName: 'imageContext',
  };
}

export function boxUsageListing(now: Date): Listing<BoxUsage> {
  const { fields } = boxListing({ truncate: true, now });
  const ofBox = Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      { heading: field.heading, value: ({ box }: BoxUsage) => field.value(box) },
    ]),
  );
  return {
    fields: { ...ofBox, Size: { heading: 'SIZE', value: ({ size }) => humanSize(size) } },
    table: ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'],
    id: 'ID',
    typeName: 'ContainerContext',
  };
}

export const volumeUsageListing: Listing<VolumeUsage> = {
  fields: {
    Name: { heading: 'VOLUME NAME', value: ({ name }) => name },
    Links: { heading: 'LINKS', value: ({ links }) => String(links) },
    Size: { heading: 'SIZE', value: ({ size }) => humanSize(size) },
  },
  table: ['Name', 'Links', 'Size'],
  id: 'Name',
  typeName: 'volumeContext',
};
