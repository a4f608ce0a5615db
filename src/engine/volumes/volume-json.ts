/** A volume in the shape of Docker's `GET /volumes/{name}` (API 1.51). Pure. */
import { type Layout, volumePaths } from '../../state/layout.ts';
import type { VolumeRecord } from '../../state/volume-record.ts';

export type VolumeJson = ReturnType<typeof volumeJson>;

export function volumeJson(layout: Layout, record: VolumeRecord) {
  return {
    CreatedAt: record.created_at.replace(/\.\d+Z$/, 'Z'),
    Driver: 'local',
    Labels: Object.keys(record.labels).length === 0 ? null : record.labels,
    Mountpoint: volumePaths(layout, record.name).data,
    Name: record.name,
    Options: Object.keys(record.options).length === 0 ? null : record.options,
    Scope: 'local',
  };
}
