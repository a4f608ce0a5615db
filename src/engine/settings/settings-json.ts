/** A box's settings in the fields of Docker's HostConfig. Pure. */
import { settingsOf } from '../../state/box-settings.ts';
import type { BoxRecord } from '../../state/record.ts';

const NANO_CPUS = 1e9;
const MIB = 1024 * 1024;

export function settingsJson(box: BoxRecord) {
  const settings = settingsOf(box);
  const { privileged, sysctls, storage_size: storage, annotations } = settings;
  return {
    LogConfig: { Type: settings.log_driver, Config: settings.log_options },
    CapAdd: orNull(settings.cap_add),
    CapDrop: orNull(settings.cap_drop),
    DnsOptions: settings.dns_options,
    DnsSearch: settings.dns_search,
    ExtraHosts: orNull(settings.extra_hosts),
    GroupAdd: orNull(settings.group_add),
    OomScoreAdj: settings.oom_score_adj,
    Privileged: privileged,
    SecurityOpt: orNull(settings.security_options),
    ShmSize: settings.shm_size,
    CpuPeriod: settings.cpu_period,
    CpuQuota: settings.cpu_quota,
    NanoCpus: settings.cpu_quota > 0 ? 0 : Math.round(box.cpus * NANO_CPUS),
    MemoryReservation: settings.memory_reservation,
    MemorySwap: settings.memory_swap === 0 ? box.memory_mb * MIB : settings.memory_swap,
    PidsLimit: settings.pids_limit === 0 ? null : settings.pids_limit,
    Ulimits: settings.ulimits.map(({ name, hard, soft }) => ({ Name: name, Hard: hard, Soft: soft })),
    ...(Object.keys(sysctls).length === 0 ? {} : { Sysctls: sysctls }),
    ...(storage === 0 ? {} : { StorageOpt: { size: String(storage) } }),
    ...(Object.keys(annotations).length === 0 ? {} : { Annotations: annotations }),
  };
}

function orNull<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}
