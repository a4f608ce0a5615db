/**
 * Where a box lies: its ID and the state directory say so, not its record, which may have been moved or copied with them.
 *
 * This runs for every box at every start of the program, where joining paths for each of 200 would take 8 ms.
 */
import { boxDirectory, boxPaths, type Layout, volumePaths } from './layout.ts';
import type { BoxRecord } from './record.ts';

/** As long as every short ID. */
const ANY_ID = '0'.repeat(12);

/**
 * Sets the records' paths to those of the layout.
 * @throws A3sError `invalid_config` when the state directory's path is too long.
 */
export function placeRecords(layout: Layout, records: readonly BoxRecord[]): void {
  if (records.length === 0) return;
  const any = boxPaths(boxDirectory(layout, ANY_ID));
  const parent = any.dir.slice(0, -ANY_ID.length);
  const agentSocket = any.agentSocket.slice(any.dir.length);
  const execSocket = any.execSocket.slice(any.dir.length);
  const consoleLog = any.consoleLog.slice(any.dir.length);
  for (const record of records) {
    const dir = parent + record.short_id;
    record.box_dir = dir;
    record.socket_path = dir + agentSocket;
    record.exec_socket_path = dir + execSocket;
    record.console_log = dir + consoleLog;
    for (const mount of record.volumes) {
      if (mount.type === 'volume') mount.source = volumePaths(layout, mount.name).data;
    }
  }
}
