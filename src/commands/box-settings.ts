/** From the flags of `run` and `create` to a box's settings. */
import { DEFAULT_CPUS } from '../engine/limits.ts';
import { normalCapabilities } from '../engine/settings/capabilities.ts';
import { cpusOf } from '../engine/settings/check.ts';
import { logDriver, logOptions } from '../engine/settings/log-options.ts';
import type { CreateOptions } from '../engine/types.ts';
import type { UpdatedSettings } from '../engine/update.ts';
import { parseSize } from '../units.ts';
import { A3sError } from '../errors.ts';
import { goQuote } from '../go-quote.ts';
import type { FlagValues } from './flags/spec.ts';
import type { settingsFlags } from './settings-flags.ts';

export type Settings = NonNullable<CreateOptions['settings']>;
type SettingsFlagValues = FlagValues<typeof settingsFlags>;

/**
 * The settings that were asked for.
 * @throws A3sError for a value that does not parse.
 */
export function boxSettings(flags: SettingsFlagValues): Settings {
  const log_driver = logDriver(flags['log-driver']);
  const security = securityOptions(flags['security-opt']);
  const settings: { [K in keyof Settings]: Settings[K] | undefined } = {
    extra_hosts: some(flags['add-host']),
    annotations: pairs(flags.annotation),
    cap_add: some(normalCapabilities(flags['cap-add'], 'CapAdd')),
    cap_drop: some(normalCapabilities(flags['cap-drop'], 'CapDrop')),
    cpu_period: flags['cpu-period'],
    cpu_quota: flags['cpu-quota'],
    dns_options: some(flags['dns-option']),
    dns_search: some(flags['dns-search']),
    domainname: flags.domainname === '' ? undefined : flags.domainname,
    group_add: some(flags['group-add']),
    log_driver,
    log_options: logOptions(log_driver, flags['log-opt']),
    memory_reservation: flags['memory-reservation'],
    memory_swap: flags['memory-swap'],
    oom_score_adj: flags['oom-score-adj'],
    pids_limit: pidsLimit(flags['pids-limit']),
    privileged: flags.privileged,
    security_options: some(flags['security-opt']),
    no_new_privileges: security.noNewPrivileges,
    shm_size: flags['shm-size'],
    storage_size: storageSize(flags['storage-opt']),
    sysctls: pairs(flags.sysctl),
    ulimits: some(flags.ulimit),
  };
  return given(settings);
}

/**
 * Those that `update` can give a box.
 * @throws A3sError `invalid_config` for CPUs both as a number and as a quota per period, in Docker's words.
 */
export function updatedSettings(
  flags: Pick<
    SettingsFlagValues,
    'cpu-period' | 'cpu-quota' | 'memory-reservation' | 'memory-swap' | 'pids-limit'
  > & { cpus: number | undefined },
): UpdatedSettings {
  if (flags.cpus !== undefined && flags.cpus !== 0) refuseBoth(flags);
  return given({
    cpu_period: flags['cpu-period'],
    cpu_quota: flags['cpu-quota'],
    memory_reservation: flags['memory-reservation'],
    memory_swap: flags['memory-swap'],
    pids_limit: pidsLimit(flags['pids-limit']),
  });
}

function given<T extends object>(settings: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the names
  return Object.fromEntries(entries) as Partial<T>;
}

/** Docker's words for no limit are 0 and -1. */
function pidsLimit(flag: number | undefined): number | undefined {
  return flag === undefined ? undefined : Math.max(flag, 0);
}

/**
 * The number of CPUs, which is given as such or as a quota per period.
 * @throws A3sError `invalid_config` for both, in Docker's words.
 */
export function cpus(flags: SettingsFlagValues & { cpus: number }, given: boolean): number {
  const byQuota = cpusOf(flags['cpu-quota'], flags['cpu-period']);
  // Docker's 0 is as many as there are; here it is as many as without the flag.
  if (!given || flags.cpus === 0) return byQuota ?? (flags.cpus || DEFAULT_CPUS);
  refuseBoth(flags);
  return flags.cpus;
}

function refuseBoth(flags: Pick<SettingsFlagValues, 'cpu-period' | 'cpu-quota'>): void {
  for (const [name, value] of [
    ['Period', flags['cpu-period']],
    ['Quota', flags['cpu-quota']],
  ] as const) {
    if ((value ?? 0) <= 0) continue;
    throw new A3sError(
      'invalid_config',
      `Conflicting options: Nano CPUs and CPU ${name} cannot both be set.`,
    );
  }
}

function some<T>(values: readonly T[]): T[] | undefined {
  return values.length === 0 ? undefined : [...values];
}

/** `name=value` each; a name alone has an empty value. */
function pairs(given: readonly string[]): Record<string, string> | undefined {
  if (given.length === 0) return undefined;
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf('=');
      return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

/** Options that ask for what happens anyway are taken: a box has no seccomp filter, no AppArmor, no SELinux of the host. */
const ANYWAY = new Set(['seccomp=unconfined', 'apparmor=unconfined', 'label=disable', 'label:disable']);

function securityOptions(given: readonly string[]): { noNewPrivileges: boolean } {
  let noNewPrivileges = false;
  for (const option of given) {
    const [own, value = 'true'] = /^no-new-privileges(?:[=:](.*))?$/s.exec(option) ?? [];
    if (own !== undefined && ['true', 'false'].includes(value)) {
      noNewPrivileges = value === 'true';
    } else if (!ANYWAY.has(option.replace(/^(seccomp|apparmor):/, '$1='))) throw refusedOption(option);
  }
  return { noNewPrivileges };
}

function refusedOption(option: string): A3sError {
  const [kind = '', value = ''] = option.split(/[=:]/, 2);
  if (value === '') return new A3sError('usage', `Invalid --security-opt: ${goQuote(option)}`);
  const known = ['apparmor', 'label', 'seccomp', 'systempaths'].includes(kind);
  if (!known) return new A3sError('invalid_config', `invalid --security-opt 2: ${goQuote(option)}`);
  const why =
    kind === 'systempaths'
      ? '--privileged shows the hidden paths'
      : 'a box is confined by its VM, not by a profile';
  return new A3sError('unsupported', `--security-opt ${option} is not supported: ${why}`, {
    exitStatus: 125,
  });
}

function storageSize(given: readonly string[]): number | undefined {
  let size: number | undefined;
  for (const option of given) {
    const [, text] = /^size=(.*)$/s.exec(option) ?? [];
    if (!option.includes('=')) throw new A3sError('usage', 'invalid storage option');
    if (text === undefined) {
      throw new A3sError('invalid_config', `Unknown option ${option.split('=', 1)[0] ?? ''}`, {
        hint: 'the only storage option is size',
      });
    }
    size = parseSize(text);
  }
  return size;
}
