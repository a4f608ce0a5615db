/** What a box's monitor will start, worked out by the command while the monitor's Node still loads. */
import { boxPaths, type Layout } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { directoryShares } from './monitor/mounts.ts';
import { provideScratch } from './monitor/scratch.ts';
import { backendOf } from './network.ts';
import type { QemuSpawn } from './qemu/process.ts';
import { openContext } from './templates/context.ts';
import { findBaseTemplate, findImageTemplate } from './templates/ensure.ts';
import { shapeOf } from './templates/shape.ts';
import { provideTransfer } from './transfer/disk.ts';
import { cloneSpawn } from './vm.ts';

/**
 * The QEMU for the next start of a box whose directory is there, with the box's disks made; null where it takes more than a look
 * at the caches to tell: no template yet, single files of the host, ports that are to be drawn. The monitor decides by itself all
 * the same (`takeEarly`); whatever fails here it will meet, too.
 */
export function planClone(
  layout: Layout,
  record: BoxRecord,
  rootfs: { path: string; digest: string },
): QemuSpawn | null {
  try {
    const shares = directoryShares(record);
    const network = backendOf(record).asAsked(record);
    if (shares === null || network === null) return null;
    const context = openContext(layout);
    const shape = shapeOf(record, shares.length);
    const found = record.has_writes
      ? findBaseTemplate(context, shape)
      : findImageTemplate(context, shape, rootfs.digest);
    if (found === null) return null;
    const { scratch, transfer, consoleLog } = boxPaths(record.box_dir);
    provideScratch(scratch, found.template.scratch ?? context.bundle.scratch, record.has_writes);
    provideTransfer(transfer);
    return cloneSpawn(context, {
      boxDir: record.box_dir,
      found,
      shape,
      root: rootfs.path,
      scratch,
      netdev: network.netdev,
      shares,
      consoleFile: consoleLog,
    });
  } catch {
    return null;
  }
}
