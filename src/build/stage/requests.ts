/** A stage's requests to its agent, docs/protocol.md, "stage". Pure but for the entropy and the clock. */
import { randomBytes } from '../../random.ts';
import type { NetworkAttachment } from '../../runtime/network.ts';
import { cpuQuota } from '../../runtime/templates/shape.ts';
import { preciseTime } from '../../state/clock.ts';
import type { CacheShare, RunMount, RunStep, StageVmOptions } from './types.ts';

const MIB = 1024 * 1024;
/** What commands of a build see as their machine's name, as with BuildKit. */
export const HOSTNAME = 'buildkitsandbox';

/** Makes the VM a stage's. */
export function beginRequest(options: StageVmOptions, network: NetworkAttachment): object {
  const { dnsSearch, dnsOptions, memoryMb, cpus, shares } = options;
  return {
    op: 'stage',
    clock_unix_ns: String(BigInt(Math.round(preciseTime() * 1000)) * 1000n),
    entropy: randomBytes(64).toString('hex'),
    network: { ...network.guest, search: dnsSearch, options: dnsOptions },
    lower: 'root',
    upper: 'scratch',
    limits: { memory_bytes: memoryMb * MIB, cpu_quota_us: cpuQuota({ cpus }), pids: null },
    shares: shares.map((_, slot) => tagOf(slot)),
  };
}

/**
 * Runs a command.
 * @param trees the names under which the bind mounts' files were sent, in their order
 */
export function stepRequest(step: RunStep, shares: readonly CacheShare[], trees: readonly string[]): object {
  const unused = [...trees];
  const rlimits = step.ulimits.map(({ name, soft, hard }) => ({ kind: name, soft, hard }));
  const settings = {
    ...(step.shmBytes === null ? {} : { shm_bytes: step.shmBytes }),
    ...(rlimits.length === 0 ? {} : { rlimits }),
  };
  return {
    op: 'stage_step',
    hostname: step.hostname ?? HOSTNAME,
    hosts: step.hosts,
    network: step.network === 'default',
    args: step.args,
    env: step.env,
    cwd: step.cwd,
    user: step.user,
    mounts: step.mounts.map((mount) => mountOf(mount, shares, () => unused.shift() ?? '')),
    settings,
  };
}

function mountOf(mount: RunMount, shares: readonly CacheShare[], nextTree: () => string): object {
  const { target } = mount;
  switch (mount.type) {
    case 'tmpfs':
      return { type: 'tmpfs', target, size_bytes: mount.sizeBytes };
    case 'bind':
      return { type: 'tree', target, name: nextTree(), single: mount.single, read_only: mount.readOnly };
    case 'cache': {
      const slot = shares.findIndex(({ id }) => id === mount.share);
      if (slot < 0) throw new Error(`the stage has no share ${mount.share}`);
      const { mode, uid, gid } = mount;
      return { type: 'share', target, tag: tagOf(slot), read_only: mount.readOnly, mode, uid, gid };
    }
    case 'ssh': {
      const { mode, uid, gid } = mount;
      return { type: 'socket', target, mode, uid, gid };
    }
    default: {
      const { mode, uid, gid, content } = mount;
      const executable = mount.type === 'script';
      return { type: 'file', target, size: content.length, executable, mode, uid, gid };
    }
  }
}

function tagOf(slot: number): string {
  return `share${slot}`;
}
