/** Which accelerator works, found by booting a template with it: a device node proves nothing. */
import { accessSync, constants } from 'node:fs';

import { A3sError } from '../../errors.ts';
import { saveHostCache, type AcceleratorVerdict } from '../host-cache.ts';
import type { RuntimeContext } from './context.ts';

const KVM = '/dev/kvm';

/** The accelerator that `A3S_BOX_ACCEL` or an earlier trial chose, or null when a trial is due. */
export function knownAccelerator(context: RuntimeContext): AcceleratorVerdict | null {
  const forced = process.env['A3S_BOX_ACCEL'];
  if (forced === 'kvm' || forced === 'tcg') {
    return { name: forced, reason: 'chosen by A3S_BOX_ACCEL', ground: '' };
  }
  if (forced !== undefined && forced !== '') {
    throw new A3sError('invalid_config', `A3S_BOX_ACCEL must be kvm or tcg, not "${forced}"`);
  }
  const known = context.host.accelerator;
  return known !== null && known.ground === trialGround(context) ? known : null;
}

/** Why KVM cannot even be tried, or null when it can. */
export function kvmObstacle(): string | null {
  try {
    accessSync(KVM, constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unusable';
    return code === 'ENOENT' ? `${KVM} does not exist` : `${KVM} cannot be opened (${code})`;
  }
}

/** Remembers a verdict together with what it depends on. */
export function recordVerdict(
  context: RuntimeContext,
  name: 'kvm' | 'tcg',
  reason: string,
): AcceleratorVerdict {
  const verdict = { name, reason, ground: trialGround(context) };
  context.host = { ...context.host, accelerator: verdict };
  saveHostCache(context.layout, context.host);
  return verdict;
}

function trialGround(context: RuntimeContext): string {
  return [
    context.host.qemu.fingerprint,
    context.host.bootId,
    context.bundle.identity,
    kvmObstacle() ?? 'open',
  ].join(' ');
}
