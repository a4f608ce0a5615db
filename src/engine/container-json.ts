/** A box in the shape of Docker's `GET /containers/{id}/json` (API 1.51). Pure. */
import { dockerState } from './docker-state.ts';
import { healthcheckJson } from './healthcheck-json.ts';
import { binds, mountPoints, ownVolumes, requestedMounts } from './volumes/mounts-json.ts';
import { dirname } from 'node:path';

import { SLIRP_GATEWAY, SLIRP_GUEST, SLIRP_PREFIX_LENGTH } from '../runtime/network.ts';
import { GUEST_MAC } from '../runtime/qemu/args.ts';
import { boxPaths } from '../state/layout.ts';
import { settingsOf } from '../state/box-settings.ts';
import { type HealthLog, NO_RESULTS } from '../state/health-log.ts';
import type { BoxRecord, HealthStatus, PortMapping } from '../state/record.ts';
import { policyOf } from '../state/restart-policy.ts';
import { portKey } from './ports.ts';
import { fixedSettings } from './settings/fixed-settings.ts';
import { settingsJson } from './settings/settings-json.ts';

/** Go's zero time: Docker's word for "never". */
const NEVER = '0001-01-01T00:00:00Z';
const MIB = 1024 * 1024;

export type ContainerJson = ReturnType<typeof containerJson>;

/** @param health what its checks have found */
export function containerJson(box: BoxRecord, health: HealthLog = NO_RESULTS) {
  const [path = '', ...args] = [...box.entrypoint, ...box.cmd];
  return {
    Id: box.id,
    Created: box.created_at,
    Path: path,
    Args: args,
    State: state(box, health),
    Image: box.image_id,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: settingsOf(box).log_driver === 'none' ? '' : boxPaths(box.box_dir).jsonLog,
    Name: `/${box.name}`,
    RestartCount: box.restart_count,
    Driver: 'squashfs',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: hostConfig(box),
    GraphDriver: { Name: 'squashfs', Data: { WritableDisk: boxPaths(box.box_dir).scratch } },
    Mounts: mountPoints(box),
    Config: config(box),
    NetworkSettings: networkSettings(box),
    Box: box,
  };
}

function state(box: BoxRecord, health: HealthLog) {
  const up = box.status === 'running' || box.status === 'paused';
  const restarting = box.status === 'restarting';
  return {
    Status: dockerState(box),
    // Docker's engine counts a box that waits for its restart as running.
    Running: up || restarting,
    Paused: box.status === 'paused',
    Restarting: restarting,
    OOMKilled: box.oom_killed,
    Dead: box.status === 'dead',
    Pid: up ? (box.pid ?? 0) : 0,
    ExitCode: box.exit_code ?? 0,
    Error: box.error,
    StartedAt: box.started_at ?? NEVER,
    FinishedAt: box.finished_at ?? NEVER,
    // Not in JSON without a value, but nil to a template, as in Docker: `{{if .State.Health}}` is in many scripts.
    Health: box.health === null ? undefined : healthJson(box.health, health),
  };
}

function healthJson(status: HealthStatus, { failing_streak, results }: HealthLog) {
  const Log = results.map(({ start, end, exit_code, output }) => ({
    Start: start,
    End: end,
    ExitCode: exit_code,
    Output: output,
  }));
  return { Status: status, FailingStreak: failing_streak, Log };
}

function restartPolicyJson(text: string) {
  const { name, maximumRetryCount } = policyOf(text);
  return { Name: name, MaximumRetryCount: maximumRetryCount };
}

function hostConfig(box: BoxRecord) {
  return {
    Binds: binds(box),
    NetworkMode: box.network === 'none' ? 'none' : 'bridge',
    // Those that were asked for: Docker's engine finds what -P publishes at each start.
    PortBindings: portBindings(
      box.port_map.filter((port) => port.exposed !== true),
      askedPort,
    ),
    RestartPolicy: restartPolicyJson(box.restart_policy),
    AutoRemove: box.auto_remove,
    Dns: box.dns,
    ReadonlyRootfs: box.read_only,
    PublishAllPorts: box.publish_all,
    Mounts: requestedMounts(box),
    Tmpfs: Object.fromEntries(
      box.tmpfs.filter((mount) => !mount.from_mount).map(({ target, options }) => [target, options]),
    ),
    Memory: box.memory_mb * MIB,
    ...settingsJson(box),
    ...fixedSettings(settingsOf(box).privileged),
    Init: box.init,
    Runtime: 'a3s-box',
  };
}

function config(box: BoxRecord) {
  return {
    Hostname: box.hostname,
    Domainname: settingsOf(box).domainname,
    User: box.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ExposedPorts: Object.fromEntries(
      [...box.port_map, ...box.exposed_ports].map((port) => [portKey(port), {}]),
    ),
    Tty: box.tty,
    OpenStdin: box.open_stdin,
    StdinOnce: false,
    Env: box.env,
    Cmd: box.cmd.length === 0 ? null : box.cmd,
    Image: box.image,
    Healthcheck: box.healthcheck === null ? undefined : healthcheckJson(box.healthcheck),
    Volumes: ownVolumes(box),
    WorkingDir: box.working_dir,
    Entrypoint: box.entrypoint.length === 0 ? null : box.entrypoint,
    OnBuild: null,
    Labels: box.labels,
    StopSignal: box.stop_signal,
    StopTimeout: box.stop_timeout,
  };
}

function networkSettings(box: BoxRecord) {
  const up = box.status === 'running' || box.status === 'paused';
  const address = guestAddress(up && box.network !== 'none');
  const network = {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: '',
  };
  return {
    Bridge: '',
    SandboxID: '',
    SandboxKey: up ? dirname(box.socket_path) : '',
    Ports: up ? { ...unpublished(box), ...portBindings(box.port_map, takenPort) } : {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    ...address,
    Networks: { [box.network === 'none' ? 'none' : 'bridge']: { ...network, ...address, DNSNames: null } },
  };
}

/** What the box knows itself by; every box the same, in a network of its own. */
function guestAddress(connected: boolean) {
  return {
    EndpointID: '',
    Gateway: connected ? SLIRP_GATEWAY : '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: connected ? SLIRP_GUEST : '',
    IPPrefixLen: connected ? SLIRP_PREFIX_LENGTH : 0,
    IPv6Gateway: '',
    MacAddress: connected ? GUEST_MAC : '',
  };
}

/** Docker lists exposed ports that nobody published with null. */
function unpublished(box: BoxRecord): Record<string, null> {
  return Object.fromEntries(box.exposed_ports.map((port) => [portKey(port), null]));
}

function askedPort({ drawn, host_port, host_range: range }: PortMapping): string {
  if (range !== undefined) return `${range.first}-${range.last}`;
  return drawn === true || host_port === 0 ? '' : String(host_port);
}

function takenPort({ host_port }: PortMapping): string {
  // 0 stands for a port that is not drawn yet.
  return host_port === 0 ? '' : String(host_port);
}

function portBindings(ports: readonly PortMapping[], hostPort: (port: PortMapping) => string) {
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const port of ports) {
    (bindings[portKey(port)] ??= []).push({ HostIp: port.host_ip, HostPort: hostPort(port) });
  }
  return bindings;
}
