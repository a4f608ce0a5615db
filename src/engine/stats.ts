/** `stats`: what boxes use, from two looks at their counters; and what their VMs cost the host. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { A3sError } from '../errors.ts';
import { objectOr } from '../json.ts';
import { askFiles } from '../runtime/files-client.ts';
import { findBoxProcesses } from '../state/processes.ts';
import type { BoxRecord } from '../state/record.ts';

/** Between the two looks of a first answer. */
const INTERVAL_MS = 200;
/** Linux's USER_HZ, the same on every architecture that Node runs on. */
const TICKS = 100;

export interface BoxUsage {
  /** Of one CPU: 150 is one and a half. */
  cpuPercent: number;
  /** Without pages of files that nobody has used lately, as Docker counts. */
  memoryBytes: number;
  memoryLimitBytes: number;
  pids: number;
  receivedBytes: number;
  sentBytes: number;
  readBytes: number;
  writtenBytes: number;
  /** The VM's process on the host. */
  hostCpuPercent: number;
  hostMemoryBytes: number;
}

/** Of a box that does not run. */
export const NO_USE: BoxUsage = {
  cpuPercent: 0,
  memoryBytes: 0,
  memoryLimitBytes: 0,
  pids: 0,
  receivedBytes: 0,
  sentBytes: 0,
  readBytes: 0,
  writtenBytes: 0,
  hostCpuPercent: 0,
  hostMemoryBytes: 0,
};

interface Counters {
  timeNs: number;
  cpuNs: number;
  usage: Omit<BoxUsage, 'cpuPercent' | 'hostCpuPercent' | 'hostMemoryBytes'>;
  host: { time: number; cpuSeconds: number; memoryBytes: number };
}

/** The use of one box over time: each look is compared with the one before. */
export class UsageMeter {
  readonly #record: BoxRecord;
  #last: Counters | undefined;
  #vm: number | null | undefined;

  constructor(record: BoxRecord) {
    this.#record = record;
  }

  /** @throws A3sError `box_not_running` when the box has ended, `guest_protocol`, `io`. */
  async look(): Promise<BoxUsage> {
    if (this.#last === undefined) {
      this.#last = await this.#counters();
      await sleep(INTERVAL_MS);
    }
    const before = this.#last;
    const now = await this.#counters();
    this.#last = now;
    return {
      ...now.usage,
      cpuPercent: percent(now.cpuNs - before.cpuNs, now.timeNs - before.timeNs),
      hostCpuPercent: percent(now.host.cpuSeconds - before.host.cpuSeconds, now.host.time - before.host.time),
      hostMemoryBytes: now.host.memoryBytes,
    };
  }

  async #counters(): Promise<Counters> {
    const answer = objectOr(await askFiles(this.#record, { op: 'usage' }));
    const read = (key: string): number => {
      const value = answer[key];
      if (typeof value === 'number' && value >= 0) return value;
      throw new A3sError('guest_protocol', `the box sent no number for ${key}`);
    };
    return {
      timeNs: read('time_ns'),
      cpuNs: read('cpu_ns'),
      usage: {
        memoryBytes: Math.max(read('memory_bytes') - read('inactive_file_bytes'), 0),
        memoryLimitBytes: read('memory_limit_bytes'),
        pids: read('pids'),
        receivedBytes: read('received_bytes'),
        sentBytes: read('sent_bytes'),
        readBytes: read('read_bytes'),
        writtenBytes: read('written_bytes'),
      },
      host: this.#hostCounters(),
    };
  }

  #hostCounters(): Counters['host'] {
    this.#vm ??= findBoxProcesses(this.#record.box_dir).find(({ role }) => role === 'vm')?.pid ?? null;
    const time = performance.now() / 1000;
    if (this.#vm === null) return { time, cpuSeconds: 0, memoryBytes: 0 };
    try {
      return { time, ...hostCounters(this.#vm) };
    } catch {
      // It ended meanwhile: the agent's silence says so next.
      return { time, cpuSeconds: 0, memoryBytes: 0 };
    }
  }
}

/** Fields 14, 15 of /proc/PID/stat and the private part of its memory (proc(5)). */
function hostCounters(pid: number): { cpuSeconds: number; memoryBytes: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kib = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS, memoryBytes: kib * 1024 };
}

function percent(part: number, whole: number): number {
  return whole <= 0 || part <= 0 ? 0 : (part / whole) * 100;
}
