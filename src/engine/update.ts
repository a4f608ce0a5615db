/** `update`: what can be changed of a box that exists. */
import { A3sError } from '../errors.ts';
import { limitBox } from '../runtime/control-client.ts';
import { updateBoxes } from '../state/boxes-file.ts';
import type { BoxRecord } from '../state/record.ts';
import { resolveBox } from '../state/resolve.ts';
import { tellBox } from './box-tell.ts';
import { isUp } from './engine.ts';
import { checkCpus, checkMemory, memoryMiB } from './limits.ts';
import { findSettledBox } from './settle.ts';
import type { Engine } from './types.ts';

/** Undefined leaves it as it is. */
export interface UpdateOptions {
  /** As records have it. */
  restartPolicy: string | undefined;
  memoryBytes: number | undefined;
  cpus: number | undefined;
}

/**
 * Changes a box. A policy holds from the next end of the workload on. A workload that runs gets other limits at once, as far
 * as its virtual machine has what they promise; one that does not run gets another machine with its next start.
 * @throws A3sError `invalid_config`, `box_paused`, `box_not_running`, and what resolveBox throws.
 */
export async function updateBox(engine: Engine, query: string, options: UpdateOptions): Promise<void> {
  if (options.memoryBytes !== undefined) checkMemory(options.memoryBytes);
  if (options.cpus !== undefined) checkCpus(options.cpus);
  const found = await findSettledBox(engine, query);
  const { restartPolicy } = options;
  if (restartPolicy !== undefined && restartPolicy !== 'no' && found.auto_remove) {
    throw refused(found, 'Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  const { memory_mb, cpus } = sizes(found, options);
  const resized = memory_mb !== found.memory_mb || cpus !== found.cpus;
  if (resized && isUp(found)) await limit(found, { cpus, memoryMb: memory_mb });
  const updated = await updateBoxes(
    engine.layout,
    (boxes) => {
      const record = resolveBox(boxes, found.id);
      Object.assign(record, sizes(record, options));
      record.restart_policy = restartPolicy ?? record.restart_policy;
      return record;
    },
    engine.notify,
  );
  tellBox(engine.layout, updated, 'update');
}

function sizes(record: BoxRecord, { memoryBytes, cpus }: UpdateOptions) {
  return {
    memory_mb: memoryBytes === undefined ? record.memory_mb : memoryMiB(memoryBytes),
    cpus: cpus ?? record.cpus,
  };
}

async function limit(record: BoxRecord, limits: { cpus: number; memoryMb: number }): Promise<void> {
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
