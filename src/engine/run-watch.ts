/** Watching whether a box still runs, at a few system calls a look. */
import { statSync } from 'node:fs';

import { readBoxes } from '../state/boxes-file.ts';
import type { Layout } from '../state/layout.ts';
import { isAlive } from '../state/processes.ts';
import type { BoxRecord } from '../state/record.ts';

export class RunWatch {
  readonly #layout: Layout;
  #record: BoxRecord | undefined;
  /** State of boxes.json when it was last read. */
  #seen = '';

  constructor(layout: Layout, record: BoxRecord) {
    this.#layout = layout;
    this.#record = record;
  }

  /** True while the box is starting, running, paused or restarting and the process that answers for it lives. */
  async isUp(): Promise<boolean> {
    const now = this.#stateOfFile();
    if (now !== this.#seen) {
      const boxes = await readBoxes(this.#layout);
      this.#record = boxes.find((box) => box.id === this.#record?.id);
      this.#seen = now;
    }
    const record = this.#record;
    if (record === undefined || !['starting', 'running', 'paused', 'restarting'].includes(record.status))
      return false;
    return isAlive(record.pid, record.pid_start);
  }

  #stateOfFile(): string {
    const stat = statSync(this.#layout.boxesFile, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino} ${stat.mtimeNs}`;
  }
}
