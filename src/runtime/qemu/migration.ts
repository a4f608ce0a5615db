/** Device state to and from a file. Memory is not in it: the capability `x-ignore-shared` leaves a file-backed RAM where it is. */
import { createWriteStream, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { pipeline } from 'node:stream/promises';

import { A3sError } from '../../errors.ts';
import { objectOr } from '../../json.ts';
import type { Qmp } from './qmp.ts';

const IGNORE_SHARED = { capabilities: [{ capability: 'x-ignore-shared', state: true }] };
const POLL_MS = 10;

/**
 * Loads the state that QEMU inherited as descriptor `fd`; the VM then runs by itself. Resolves once QEMU has taken its own
 * arguments and turns to the state.
 */
export async function loadState(qmp: Qmp, fd: number, timeoutMs: number): Promise<void> {
  const prepared = qmp.execute('migrate-set-capabilities', IGNORE_SHARED, timeoutMs);
  // A state that cannot be loaded ends QEMU, as often before this answer as after it.
  qmp.execute('migrate-incoming', { uri: `fd:${fd}` }, timeoutMs).catch(() => {});
  await prepared;
}

/**
 * Saves the state of a running VM to `file` through a socket at `socketPath`, because QEMU's sandbox lets it neither
 * spawn a helper nor open a file for it. The VM is paused afterwards and its disks are flushed.
 * @throws A3sError `io` when QEMU reports a failed migration, `timeout` past the deadline.
 */
export async function saveState(
  qmp: Qmp,
  socketPath: string,
  file: string,
  timeoutMs: number,
): Promise<void> {
  const server = createServer();
  const written = new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('connection', (socket) => {
      pipeline(socket, createWriteStream(file, { flags: 'wx', mode: 0o600 })).then(resolve, reject);
    });
  });
  // Heard below; a failure before that must not be an unhandled rejection.
  written.catch(() => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, () => {
      server.off('error', reject);
      resolve();
    });
  });
  try {
    await qmp.execute('migrate-set-capabilities', IGNORE_SHARED);
    // Do not stop the VM first: a template saved stopped would come back paused.
    await qmp.execute('migrate', { uri: `unix:${socketPath}` });
    await migrated(qmp, Date.now() + timeoutMs);
    await written;
  } finally {
    server.close();
    rmSync(socketPath, { force: true });
  }
}

async function migrated(qmp: Qmp, deadline: number): Promise<void> {
  while (Date.now() < deadline) {
    const info = await qmp.execute('query-migrate');
    const { status, 'error-desc': reason } = objectOr(info);
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') {
      throw new A3sError('io', `QEMU could not save the VM: ${typeof reason === 'string' ? reason : status}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new A3sError('timeout', 'QEMU did not finish saving the VM in time');
}
