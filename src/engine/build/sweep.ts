/** What builds leave behind that were killed: the next one takes it away. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { storeLock } from '../../images/image.ts';
import { isDeadSpool, leasedDigests } from '../../images/store/leases.ts';
import { namesIn } from '../../state/directory.ts';
import type { Layout } from '../../state/layout.ts';
import { withLock } from '../../state/lock.ts';
import { sweepDeadBuilds } from '../../state/template-builds.ts';

const LOCK_TIMEOUT_MS = 600_000;

/**
 * Ends the VMs of dead builds and removes their directories, unfinished layers and leases. Costs a look at four directories when there are
 * none.
 * @throws A3sError `timeout` when a VM survives SIGKILL or the store stays locked.
 */
export async function sweepKilledBuilds(layout: Layout): Promise<void> {
  await sweepDeadBuilds(layout);
  for (const name of namesIn(layout.ingestDir).filter(isDeadSpool)) {
    rmSync(join(layout.ingestDir, name), { recursive: true, force: true });
  }
  if (namesIn(layout.leasesDir).length === 0) return;
  await withLock(storeLock(layout), () => leasedDigests(layout), { timeoutMs: LOCK_TIMEOUT_MS });
}
