/** What a box's settings may be; everything else is refused before anything is made. In Docker's words where it has any. */
import { A3sError } from '../../errors.ts';
import { type BoxSettings, MAX_PIDS } from '../../state/box-settings.ts';

const MIB = 1024 * 1024;
/** Size of the file system on a box's disk: see the guest bundle's `scratchBytes`. */
const DISK_BYTES = 64 * 1024 * MIB;
const DOMAIN_MAX = 64;

/** @throws A3sError `invalid_config`. */
export function checkSettings(settings: Partial<BoxSettings>, memoryBytes: number): void {
  const { oom_score_adj: score = 0, shm_size: shm, storage_size: storage, domainname } = settings;
  checkMemory(settings, memoryBytes);
  checkPids(settings);
  if (score < -1000 || score > 1000) {
    throw refused(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
  }
  if (shm !== undefined && shm <= 0) throw refused('SHM size can not be less than 0');
  if (storage !== undefined && (storage < MIB || storage > DISK_BYTES)) {
    throw refused(`--storage-opt size is ${storage} bytes: a box's disk has 1m to 64g`);
  }
  if (domainname !== undefined && (domainname.length > DOMAIN_MAX || !/^[a-zA-Z0-9._-]+$/.test(domainname))) {
    throw refused(`invalid domainname: ${domainname}`);
  }
}

/** @throws A3sError `invalid_config`. */
export function checkPids({ pids_limit: most = 0 }: Partial<BoxSettings>): void {
  if (most <= MAX_PIDS) return;
  throw refused(`Maximum pids limit allowed is ${MAX_PIDS}; -1 sets none`);
}

function checkMemory(settings: Partial<BoxSettings>, memoryBytes: number): void {
  const { memory_swap: swap = 0, memory_reservation: reservation = 0 } = settings;
  if (swap > 0 && swap < memoryBytes) {
    throw refused('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (swap > memoryBytes) {
    throw new A3sError(
      'unsupported',
      `--memory-swap ${swap} is not supported: a box has no swap; it equals --memory (${memoryBytes}) or is -1`,
      { exitStatus: 125, hint: 'give the box what it needs with --memory' },
    );
  }
  if (reservation > memoryBytes) {
    throw refused('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
}

const PERIOD_US = 100_000;

/**
 * The number of CPUs that a quota per period comes to; undefined without a quota.
 * @throws A3sError `invalid_config`.
 */
export function cpusOf(quota: number | undefined, period: number | undefined): number | undefined {
  if (period !== undefined && period !== 0 && (period < 1000 || period > 1_000_000)) {
    throw refused('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (quota === undefined || quota === 0 || quota === -1) return undefined;
  if (quota < 1000) throw refused('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  return quota / (period === undefined || period === 0 ? PERIOD_US : period);
}

function refused(message: string): A3sError {
  return new A3sError('invalid_config', message);
}
