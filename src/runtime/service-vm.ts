/** The VM of a box that does not run, brought up for its files alone: what waits in it is the agent, not the workload. */
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';

import { A3sError } from '../errors.ts';
import { boxPaths, type Layout } from '../state/layout.ts';
import type { BoxRecord } from '../state/record.ts';
import { AgentPort } from './agent-link.ts';
import type { BoxHold } from './control-client.ts';
import { startLimitMs } from './deadlines.ts';
import { bootBox, type BootedBox } from './monitor/boot.ts';
import { bridgeSocket } from './monitor/bridge.ts';
import { runRequest } from './monitor/run-request.ts';
import type { QemuProcess } from './qemu/process.ts';
import { openContext } from './templates/context.ts';

/** The agent's own file, as each process that it makes sees it before exec: the image may have no program at all. */
const WAIT = ['/proc/self/exe', '--wait'];
/** Gigabytes of writes on a slow disk. */
const SYNC_MS = 300_000;

export interface ServiceVm {
  /** Writes the box's disk out and ends the VM. */
  close(): Promise<void>;
}

/**
 * Brings the VM up, with the box's mounts, without its network, and its exec.sock. The caller has claimed the record.
 * The VM ends with this process at the latest.
 * @param hold what keeps the box's monitor from running it meanwhile, if there is one: the VM ends with it
 * @throws A3sError `boot_failed`, `host_setup`, `invalid_config`, `state_corrupt`.
 */
export async function openServiceVm(
  layout: Layout,
  record: BoxRecord,
  rootfs: { path: string; digest: string },
  hold: BoxHold | null = null,
): Promise<ServiceVm> {
  const paths = boxPaths(record.box_dir);
  const abort = new AbortController();
  let qemu: QemuProcess | undefined;
  const killVm = (): void => void qemu?.kill();
  process.on('exit', killVm);
  let isLost = false;
  let isOver = false;
  const giveUp = async (lost: Promise<void>): Promise<void> => {
    await lost;
    if (isOver) return;
    isLost = true;
    abort.abort(new A3sError('io', `container ${record.name} was told to end`));
    killVm();
  };
  if (hold !== null) void giveUp(hold.lost);
  try {
    mkdirSync(dirname(paths.execSocket), { recursive: true, mode: 0o700 });
    const box = await bootBox(openContext(layout), {
      record: { ...record, network: 'none', port_map: [] },
      rootfs,
      signal: abort.signal,
      spawned: (spawned) => {
        qemu = spawned;
        if (isLost) killVm();
      },
      // Whoever uses the VM finds its connection closed.
      lost: () => {},
      diskFull: killVm,
    });
    await waitingWorkload(box, record);
    const server = bridgeSocket(
      { link: box.link, port: AgentPort.exec, answers: () => true },
      paths.execSocket,
      killVm,
    );
    await once(server, 'listening');
    return {
      close: async () => {
        server.close();
        try {
          await box.link.request({ op: 'sync' }, SYNC_MS);
        } finally {
          await end();
        }
      },
    };
  } catch (error) {
    await end();
    throw error;
  }

  async function end(): Promise<void> {
    isOver = true;
    await qemu?.kill();
    process.off('exit', killVm);
    // A monitor's own sockets are beside it.
    rmSync(hold === null ? dirname(paths.execSocket) : paths.execSocket, { recursive: true, force: true });
  }
}

/** Resolves once the box's root and mounts are in place. */
function waitingWorkload(box: BootedBox, record: BoxRecord): Promise<void> {
  const limit = startLimitMs(box.mounts.some((mount) => mount.type === 'share' && mount.fill === true));
  return new Promise((resolve, reject) => {
    const refuse = (message: string): void => {
      clearTimeout(timer);
      reject(new A3sError('boot_failed', message, { stage: 'start' }));
    };
    const timer = setTimeout(() => refuse(`the guest did not answer within ${limit} ms`), limit);
    box.link.control(serviceRequest(box, record), {
      said: (said) => {
        if (said.kind === 'started') {
          clearTimeout(timer);
          resolve();
        } else if (said.kind === 'result') {
          refuse(said.result.error?.message ?? 'the guest ended at once');
        }
      },
      error: (error) => refuse(error.message),
    });
  });
}

function serviceRequest(box: BootedBox, record: BoxRecord): object {
  const waiting: BoxRecord = {
    ...record,
    entrypoint: WAIT,
    cmd: [],
    env: [],
    user: '',
    working_dir: '',
    tty: false,
    open_stdin: true,
    init: false,
    read_only: false,
    auto_remove: false,
  };
  return runRequest(waiting, { mounts: box.mounts, network: box.network, rows: 0, cols: 0 });
}
