import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import type { HostCache } from '../../src/runtime/host-cache.ts';
import { boxesOf } from '../e2e/fixture/boxes.ts';
import { a3s, a3sOk } from '../e2e/fixture/cli.ts';
import { home } from '../e2e/fixture/home.ts';
import { warmTemplates } from './fixture/templates.ts';

boxesOf('accelerator');

const hostFile = (): string => join(home(), 'cache', 'host.json');
const verdict = (): NonNullable<HostCache['accelerator']> => {
  const { accelerator }: HostCache = JSON.parse(readFileSync(hostFile(), 'utf8'));
  if (accelerator === null) throw new Error('no verdict');
  return accelerator;
};
const run = (env: NodeJS.ProcessEnv) => a3s(['run', '--rm', 'a3s/base', 'echo', 'well'], { env });

describe('the accelerator', () => {
  test('was decided by trial, and the verdict is kept with its reason', async () => {
    const { name, reason } = verdict();
    expect(['kvm', 'tcg']).toContain(name);
    expect(reason).toMatch(
      name === 'kvm' ? /^a VM booted with it$/ : /^(KVM does not work here: |\/dev\/kvm )./,
    );
    const before = statSync(hostFile()).mtimeMs;
    expect(await run({})).toMatchObject({ status: 0, out: 'well\n', err: '' });
    expect(statSync(hostFile()).mtimeMs).toBe(before);
  });

  test('is shown by info with its reason', async () => {
    const { name, reason } = verdict();
    const out = await a3sOk(['info']);
    expect(out).toMatch(new RegExp(`\\b${name}\\b`));
    expect(out).toContain(reason);
  });

  test('that A3S_BOX_ACCEL chooses is used and shown, and the verdict stays', async () => {
    const env = { A3S_BOX_ACCEL: 'tcg' };
    const before = verdict();
    expect(await run(env)).toMatchObject({ status: 0, out: 'well\n', err: '' });
    expect(await a3sOk(['info'], { env })).toContain('chosen by A3S_BOX_ACCEL');
    expect(verdict()).toEqual(before);
    await warmTemplates();
  });

  test('that A3S_BOX_ACCEL insists on is not replaced by another', async () => {
    const { status, out, err, ms } = await run({ A3S_BOX_ACCEL: 'kvm', A3S_BOX_BOOT_TIMEOUT: '10' });
    if (verdict().name === 'kvm') {
      expect({ status, out, err }).toEqual({ status: 0, out: 'well\n', err: '' });
      return;
    }
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err).toMatch(/^a3s-box: .+ \((agent|qemu)\)\n/);
    expect(ms).toBeLessThan(40_000);
  });

  test('that A3S_BOX_ACCEL does not know is refused by name', async () => {
    const { status, out, err } = await run({ A3S_BOX_ACCEL: 'hvf' });
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err).toContain('A3S_BOX_ACCEL must be kvm or tcg, not "hvf"');
  });
});
