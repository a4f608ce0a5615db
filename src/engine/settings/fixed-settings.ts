/**
 * The fields of Docker's HostConfig that are the same for every box: Docker's values for what was not asked for, because a VM of
 * its own has no such setting (docs/compatibility.md says why). They are there for templates that name them.
 */

const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** Docker's engine, API 1.51. The paths are those that the agent masks (guest/src/box_mounts.rs). */
export function fixedSettings(privileged: boolean) {
  return {
    ContainerIDFile: '',
    VolumeDriver: '',
    VolumesFrom: null,
    ConsoleSize: [0, 0],
    CgroupnsMode: 'private',
    IpcMode: 'private',
    Cgroup: '',
    Links: null,
    PidMode: '',
    UTSMode: '',
    UsernsMode: '',
    Isolation: '',
    CpuShares: 0,
    CgroupParent: '',
    BlkioWeight: 0,
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: [],
    BlkioDeviceWriteBps: [],
    BlkioDeviceReadIOps: [],
    BlkioDeviceWriteIOps: [],
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: '',
    CpusetMems: '',
    Devices: [],
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemorySwappiness: null,
    OomKillDisable: false,
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    MaskedPaths: privileged ? null : MASKED_PATHS,
    ReadonlyPaths: privileged ? null : READONLY_PATHS,
  };
}
