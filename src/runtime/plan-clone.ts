/** What a new box's monitor will start, worked out by the command while the monitor's Node still loads. */
import { boxPaths, type Layout } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { provideScratch } from './monitor/scratch.ts';
import { backendOf } from './network.ts';
import type { QemuSpawn } from './qemu/process.ts';
import { openContext } from './templates/context.ts';
import { findImageTemplate } from './templates/ensure.ts';
import { shapeOf } from './templates/shape.ts';
import { provideTransfer } from './transfer/disk.ts';
import { cloneSpawn } from './vm.ts';

/**
 * The QEMU for the first start of a box whose directory is there, with the box's disk made; null where it takes more than a look
 * at the caches to tell: no image template yet, directories of the host, published ports. The monitor decides by itself all the
 * same (`takeEarly`); whatever fails here it will meet, too.
 */
export function planClone(
  layout: Layout,
  record: BoxRecord,
  rootfs: { path: string; digest: string },
): QemuSpawn | null {
  if (record.has_writes || record.volumes.length > 0 || record.port_map.length > 0) return null;
  try {
    const context = openContext(layout);
    const shape = shapeOf(record, 0);
    const found = findImageTemplate(context, shape, rootfs.digest);
    if (found === null || found.template.scratch === null) return null;
    const { scratch, transfer, consoleLog } = boxPaths(record.box_dir);
    provideScratch(scratch, found.template.scratch, false);
    provideTransfer(transfer);
    return cloneSpawn(context, {
      boxDir: record.box_dir,
      found,
      shape,
      root: rootfs.path,
      scratch,
      netdev: backendOf(record).netdev(record, []),
      shares: [],
      consoleFile: consoleLog,
    });
  } catch {
    return null;
  }
}
