/** `update`: what can be changed of a box that exists. */
import { A3sError } from '../errors.ts';
import { updateBoxes } from '../state/boxes-file.ts';
import type { BoxRecord } from '../state/record.ts';
import { resolveBox } from '../state/resolve.ts';
import { allBoxes, isUp } from './engine.ts';
import { checkCpus, checkMemory, memoryMiB } from './limits.ts';
import type { Engine } from './types.ts';

/** Undefined leaves it as it is. */
export interface UpdateOptions {
  /** As records have it. */
  restartPolicy: string | undefined;
  memoryBytes: number | undefined;
  cpus: number | undefined;
}

/**
 * Changes a box. A policy holds from the next end of the workload on; memory and processors are the virtual machine's and
 * can only be changed while there is none.
 * @throws A3sError `invalid_config`, `box_running`, and what resolveBox throws.
 */
export async function updateBox(engine: Engine, query: string, options: UpdateOptions): Promise<void> {
  if (options.memoryBytes !== undefined) checkMemory(options.memoryBytes);
  if (options.cpus !== undefined) checkCpus(options.cpus);
  await allBoxes(engine);
  await updateBoxes(engine.layout, (boxes) => change(resolveBox(boxes, query), options), engine.notify);
}

function change(record: BoxRecord, { restartPolicy, memoryBytes, cpus }: UpdateOptions): void {
  const memory = memoryBytes === undefined ? record.memory_mb : memoryMiB(memoryBytes);
  const resized = memory !== record.memory_mb || (cpus ?? record.cpus) !== record.cpus;
  if (resized && (isUp(record) || record.status === 'starting')) {
    throw new A3sError(
      'box_running',
      `Cannot update container ${record.id}: its virtual machine has the memory and the processors that it was started with`,
      { hint: `stop it first: a3s-box stop ${record.name}` },
    );
  }
  if (restartPolicy !== undefined && restartPolicy !== 'no' && record.auto_remove) {
    throw new A3sError(
      'invalid_config',
      `Cannot update container ${record.id}: Restart policy cannot be updated because AutoRemove is enabled for the container`,
    );
  }
  record.memory_mb = memory;
  record.cpus = cpus ?? record.cpus;
  record.restart_policy = restartPolicy ?? record.restart_policy;
}
