/**
 * A VM that is started before the monitor's program is loaded, on the word of the command that starts the box. The program works out
 * by itself what it would have started, and takes this one only if that is the same to the letter.
 */
import { isObject, objectOr } from '../../json.ts';
import { loadState } from '../qemu/migration.ts';
import { STATE_FD, spawnQemu, type QemuProcess, type QemuSpawn } from '../qemu/process.ts';

export interface EarlyVm {
  readonly qemu: QemuProcess;
  /** The VM is on its way to the agent's answer. */
  readonly loaded: Promise<void>;
  readonly spawn: QemuSpawn;
}

/** Starts what the launch request `payload` plans; null when it plans nothing, or nothing that can be started. */
export function startEarly(payload: Buffer, deadline: () => number): EarlyVm | null {
  const spawn = plannedSpawn(payload);
  if (spawn === null) return null;
  try {
    const deadlineMs = deadline();
    const qemu = spawnQemu(spawn);
    const loaded = loadState(qemu.qmp, STATE_FD, deadlineMs);
    // Heard by who takes the VM.
    loaded.catch(() => {});
    return { qemu, loaded, spawn };
  } catch {
    // Whatever it was, the program will meet it where it can be told.
    return null;
  }
}

function plannedSpawn(payload: Buffer): QemuSpawn | null {
  let request: unknown;
  try {
    request = JSON.parse(payload.toString('utf8'));
  } catch {
    return null;
  }
  const { clone } = objectOr(request);
  if (!isObject(clone)) return null;
  const { binary, args, stateFile } = clone;
  if (typeof binary !== 'string' || typeof stateFile !== 'string' || !Array.isArray(args)) return null;
  const words = args.filter((word: unknown) => typeof word === 'string');
  return words.length === args.length ? { binary, args: words, stateFile } : null;
}

/** The VM, if it is the one that `spawn` would start; any other is killed, and gone when this resolves. */
export async function takeEarly(early: EarlyVm | null, spawn: QemuSpawn): Promise<EarlyVm | null> {
  if (early === null) return null;
  if (isSame(early.spawn, spawn)) return early;
  await early.qemu.kill();
  return null;
}

function isSame(one: QemuSpawn, other: QemuSpawn): boolean {
  return (
    one.binary === other.binary &&
    one.stateFile === other.stateFile &&
    one.args.length === other.args.length &&
    one.args.every((word, at) => word === other.args[at])
  );
}
