/** `stats`: what boxes use, from two looks at their counters; and what their VMs cost the host. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { BoxRecord } from '../state/record.ts';
import { askFigures, keptFigures, type BoxFigures } from './box-usage.ts';
import { findVms, hostFigures, type HostFigures } from './host-usage.ts';
import { isHungUp } from './settle.ts';

/** Between the two looks of a first answer. */
const INTERVAL_MS = 200;

export interface BoxUsage extends Omit<BoxFigures, 'timeNs' | 'cpuNs'> {
  /** Of one CPU: 150 is one and a half. */
  cpuPercent: number;
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

interface Look {
  box: BoxFigures;
  host: HostFigures;
}

/** The use of boxes over time: each look is compared with the one before. */
export class UsageMeter {
  /** The last looks, and the processes of the VMs, by run: a box that was started again counts from the beginning. */
  readonly #last = new Map<string, Look>();
  readonly #vms = new Map<string, number>();

  /** What each of these boxes uses; null for a paused one of which nothing is known. @throws A3sError `guest_protocol`, `timeout`. */
  async look(boxes: readonly BoxRecord[]): Promise<(BoxUsage | null)[]> {
    const unknown = boxes.filter((box) => hasVm(box) && !this.#vms.has(runOf(box)));
    const found = findVms(unknown.map((box) => box.box_dir));
    for (const box of unknown) {
      const vm = found.get(box.box_dir);
      if (vm !== undefined) this.#vms.set(runOf(box), vm);
    }
    return Promise.all(boxes.map((box) => this.#useOf(box)));
  }

  async #useOf(box: BoxRecord): Promise<BoxUsage | null> {
    if (!hasVm(box)) return NO_USE;
    if (box.status === 'paused') return this.#pausedUse(box);
    try {
      return await this.#runningUse(box);
    } catch (error) {
      // It ended meanwhile.
      if (!isHungUp(error)) throw error;
      return NO_USE;
    }
  }

  /** Its processes stand still: what they hold is what they held, and its VM can be looked at. */
  #pausedUse(box: BoxRecord): BoxUsage | null {
    const figures = keptFigures(box);
    if (figures === null) return null;
    const host = hostFigures(this.#vms.get(runOf(box)));
    return usage({ box: figures, host }, { box: figures, host });
  }

  async #runningUse(box: BoxRecord): Promise<BoxUsage> {
    let before = this.#last.get(runOf(box));
    if (before === undefined) {
      before = await this.#counters(box);
      await sleep(INTERVAL_MS);
    }
    const now = await this.#counters(box);
    this.#last.set(runOf(box), now);
    return usage(before, now);
  }

  async #counters(box: BoxRecord): Promise<Look> {
    return { box: await askFigures(box), host: hostFigures(this.#vms.get(runOf(box))) };
  }
}

function hasVm({ status }: BoxRecord): boolean {
  return status === 'running' || status === 'paused';
}

function runOf(box: BoxRecord): string {
  return `${box.id} ${box.started_at ?? ''}`;
}

function usage(before: Look, now: Look): BoxUsage {
  const { timeNs, cpuNs, ...figures } = now.box;
  return {
    ...figures,
    cpuPercent: percent(cpuNs - before.box.cpuNs, timeNs - before.box.timeNs),
    hostCpuPercent: percent(now.host.cpuSeconds - before.host.cpuSeconds, now.host.time - before.host.time),
    hostMemoryBytes: now.host.memoryBytes,
  };
}

function percent(part: number, whole: number): number {
  return whole <= 0 || part <= 0 ? 0 : (part / whole) * 100;
}
