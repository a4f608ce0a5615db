/** Where a workload's output is kept, by the box's log driver. */
import { settingsOf } from '../../state/box-settings.ts';
import { boxPaths } from '../../state/layout.ts';
import { logAttributes, maxFiles, maxSize } from '../../state/log-options.ts';
import type { BoxRecord } from '../../state/record.ts';
import { JsonLog } from './json-log.ts';
import { note } from './monitor-log.ts';

export interface WorkloadLog {
  /** Takes output; `done` is called once it is kept. */
  write(stream: 'stdout' | 'stderr', chunk: Buffer, done: () => void): void;
  close(): Promise<void>;
}

/** The driver `none`. */
const NO_LOG: WorkloadLog = {
  write: (_stream, _chunk, done) => done(),
  close: () => Promise.resolve(),
};

export function openLog(box: BoxRecord): WorkloadLog {
  const { log_driver: driver, log_options: options } = settingsOf(box);
  if (driver === 'none') return NO_LOG;
  return new JsonLog(boxPaths(box.box_dir).jsonLog, note, {
    maxSize: maxSize(options),
    maxFiles: maxFiles(options),
    attributes: logAttributes(options, box),
  });
}
