/** A box's settings in the words of docs/protocol.md, "run". Pure. */
import { DEFAULT_SETTINGS, settingsOf, type BoxSettings } from '../../state/box-settings.ts';
import type { BoxRecord } from '../../state/record.ts';

/** The optional field `settings` with what is not as for every box; no field when everything is. */
export function guestSettings(record: Pick<BoxRecord, 'settings'>): { settings?: object } {
  if (record.settings === undefined) return {};
  const settings = settingsOf(record);
  const fields: Record<string, unknown> = {
    domainname: settings.domainname,
    sysctls: settings.sysctls,
    shm_bytes: settings.shm_size === DEFAULT_SETTINGS.shm_size ? 0 : settings.shm_size,
    disk_bytes: settings.storage_size,
    memory_low_bytes: settings.memory_reservation,
    oom_score_adj: settings.oom_score_adj,
    groups: settings.group_add,
    rlimits: settings.ulimits.map(({ name, soft, hard }) => ({
      kind: name,
      soft: soft === -1 ? null : soft,
      hard: hard === -1 ? null : hard,
    })),
    unmasked: settings.privileged,
  };
  const given = Object.entries(fields).filter(([, value]) => !isNothing(value));
  return given.length === 0 ? {} : { settings: Object.fromEntries(given) };
}

function isNothing(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false;
}

/** Lines of /etc/hosts after the loopback's: the caller's own, then the box's. */
export function hostsLines(
  record: Pick<BoxRecord, 'hostname' | 'settings'>,
  address: string | null,
): string[] {
  const { extra_hosts, domainname } = settingsOf(record);
  const extra = extra_hosts.map((entry) => {
    const colon = entry.indexOf(':');
    return `${entry.slice(colon + 1)}\t${entry.slice(0, colon)}`;
  });
  if (address === null) return extra;
  const names = domainname === '' ? '' : `${record.hostname}.${domainname} `;
  return [...extra, `${address} ${names}${record.hostname}`];
}

/** A single dot asks for no search domains at all. */
export function dnsSearch({ dns_search }: Pick<BoxSettings, 'dns_search'>): string[] {
  return dns_search.filter((domain) => domain !== '.');
}
