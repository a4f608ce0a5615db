/** `update`: what can be changed of a box that exists. */
import { A3sError } from '../errors.ts';
import { limitBox } from '../runtime/control-client.ts';
import type { BoxLimits } from '../runtime/monitor/requests.ts';
import { type BoxSettings, ownSettings, settingsOf } from '../state/box-settings.ts';
import { updateBoxes } from '../state/boxes-file.ts';
import type { BoxRecord } from '../state/record.ts';
import { resolveBox } from '../state/resolve.ts';
import { tellBox } from './box-tell.ts';
import { isUp } from './engine.ts';
import { checkCpus, checkMemory, DEFAULT_CPUS, memoryMiB } from './limits.ts';
import { checkPids, checkSettings, cpusOf } from './settings/check.ts';
import { findSettledBox } from './settle.ts';
import type { Engine } from './types.ts';

const MIB = 1024 * 1024;

/** Settings that a box which exists can be given. */
export type UpdatedSettings = Partial<
  Pick<BoxSettings, 'cpu_period' | 'cpu_quota' | 'memory_reservation' | 'memory_swap' | 'pids_limit'>
>;

/** Undefined leaves it as it is. */
export interface UpdateOptions {
  /** As records have it. */
  restartPolicy: string | undefined;
  memoryBytes: number | undefined;
  cpus: number | undefined;
  settings?: UpdatedSettings;
}

/**
 * Changes a box. A policy holds from the next end of the workload on. A workload that runs gets other limits at once, as far
 * as its virtual machine has what they promise; one that does not run gets another machine with its next start.
 * @throws A3sError `invalid_config`, `box_paused`, `box_not_running`, and what resolveBox throws.
 */
export async function updateBox(engine: Engine, query: string, options: UpdateOptions): Promise<void> {
  if (options.memoryBytes !== undefined) checkMemory(options.memoryBytes);
  if (options.cpus !== undefined) checkCpus(options.cpus);
  const { cpu_quota, cpu_period, ...others } = options.settings ?? {};
  cpusOf(cpu_quota, cpu_period);
  checkPids(others);
  const found = await findSettledBox(engine, query);
  const { restartPolicy } = options;
  if (restartPolicy !== undefined && restartPolicy !== 'no' && found.auto_remove) {
    throw refused(found, 'Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  const limits = changedLimits(found, changed(found, options));
  if (limits !== null && isUp(found)) await limit(found, limits);
  const updated = await updateBoxes(
    engine.layout,
    (boxes) => {
      const record = resolveBox(boxes, found.id);
      const { settings, ...sizes } = changed(record, options);
      const own = ownSettings(settings);
      if (own === undefined) delete record.settings;
      else record.settings = own;
      Object.assign(record, sizes);
      record.restart_policy = restartPolicy ?? record.restart_policy;
      return record;
    },
    engine.notify,
  );
  tellBox(engine.layout, updated, 'update');
}

type Changed = Pick<BoxRecord, 'memory_mb' | 'cpus'> & { settings: BoxSettings };

/**
 * What the box is to be. CPUs as a number and as a quota per period replace each other.
 * @throws A3sError `invalid_config`, `unsupported` as for a new box.
 */
function changed(record: BoxRecord, options: UpdateOptions): Changed {
  const { memoryBytes = record.memory_mb * MIB, settings: given = {} } = options;
  const before = settingsOf(record);
  const settings = { ...before, ...given };
  // What equals the memory goes with it.
  if (given.memory_swap === undefined && before.memory_swap > 0) settings.memory_swap = memoryBytes;
  let { cpus } = record;
  if (options.cpus !== undefined) {
    ({ cpus } = options);
    Object.assign(settings, { cpu_quota: 0, cpu_period: 0 });
  } else if (given.cpu_quota !== undefined || given.cpu_period !== undefined) {
    const withoutQuota = before.cpu_quota > 0 ? DEFAULT_CPUS : cpus;
    cpus = cpusOf(settings.cpu_quota, settings.cpu_period) ?? withoutQuota;
    checkCpus(cpus);
  }
  checkSettings(ownSettings(settings) ?? {}, memoryBytes);
  return { memory_mb: memoryMiB(memoryBytes), cpus, settings };
}

/** What a running workload has to be told; null for nothing. */
function changedLimits(record: BoxRecord, { memory_mb, cpus, settings }: Changed): BoxLimits | null {
  const before = settingsOf(record);
  const pids = settings.pids_limit === before.pids_limit ? undefined : settings.pids_limit;
  const low =
    settings.memory_reservation === before.memory_reservation ? undefined : settings.memory_reservation;
  const resized = memory_mb !== record.memory_mb || cpus !== record.cpus;
  if (!resized && pids === undefined && low === undefined) return null;
  return { cpus, memoryMb: memory_mb, pids, memoryReservation: low };
}

async function limit(record: BoxRecord, limits: BoxLimits): Promise<void> {
  try {
    await limitBox(record, limits);
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    throw refused(record, error.message, error);
  }
}

function refused(record: BoxRecord, why: string, cause?: A3sError): A3sError {
  const message = `Cannot update container ${record.id}: ${why}`;
  const hint = cause?.hint;
  return new A3sError(cause?.code ?? 'invalid_config', message, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}
