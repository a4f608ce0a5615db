/** A member of a cpio archive. */
export interface CpioEntry {
  name: string;
  /** File type and permissions, as in stat. */
  mode: number;
  content?: Buffer;
  /** Major and minor number of a device node. */
  device?: readonly [number, number];
}

/**
 * An uncompressed `newc` archive, the form the kernel unpacks into its initial root file system (Linux's
 * Documentation/driver-api/early-userspace/buffer-format.rst). All owned by root, all dated 0, so that the
 * same input gives the same bytes.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.map((entry, index) => member(entry, index + 1));
  parts.push(member({ name: 'TRAILER!!!', mode: 0 }, 0));
  return Buffer.concat(parts);
}

function member(entry: CpioEntry, inode: number): Buffer {
  const content = entry.content ?? Buffer.alloc(0);
  const [major, minor] = entry.device ?? [0, 0];
  const links = entry.mode === 0 ? 0 : 1;
  const fields = [inode, entry.mode, 0, 0, links, 0, content.length, 0, 0, major, minor];
  fields.push(entry.name.length + 1, 0);
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${entry.name}\0`;
  return Buffer.concat([pad(Buffer.from(header, 'latin1')), pad(content)]);
}

/** Both a header with its name and a content end on a multiple of four bytes. */
function pad(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc(-data.length & 3)]);
}
