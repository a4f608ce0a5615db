/** A box's mounts in Docker's shapes: what was asked for (HostConfig, Config), and what is mounted. Pure. */
import type { BoxRecord, VolumeMount } from '../../state/record.ts';

/** HostConfig.Binds: `-v source:target[:mode]`; null when there is none. */
export function binds(box: BoxRecord): string[] | null {
  const given = box.volumes.filter(({ origin }) => origin === 'binds');
  if (given.length === 0) return null;
  return given.map(({ type, name, source, target, mode, copy }) => {
    const modes = mode === 'z' && type === 'volume' && copy ? '' : mode;
    return [type === 'volume' ? name : source, target, ...(modes === '' ? [] : [modes])].join(':');
  });
}

/** HostConfig.Mounts: `--mount`; undefined, and so left out, when there is none. */
export function requestedMounts(box: BoxRecord): object[] | undefined {
  const mounts = box.volumes
    .filter(({ origin }) => origin === 'mounts')
    .map(({ type, name, anonymous, source, target, read_only, copy, subpath }) => {
      const options = {
        ...(copy || subpath !== '' ? {} : { NoCopy: true }),
        ...(subpath === '' ? {} : { Subpath: subpath }),
      };
      return {
        Type: type,
        ...(anonymous ? {} : { Source: type === 'volume' ? name : source }),
        Target: target,
        ...(read_only ? { ReadOnly: true } : {}),
        ...(type === 'volume' && Object.keys(options).length > 0 ? { VolumeOptions: options } : {}),
      };
    });
  const tmpfs = box.tmpfs
    .filter(({ from_mount }) => from_mount)
    .map(({ target }) => ({ Type: 'tmpfs', Target: target }));
  const all = [...mounts, ...tmpfs];
  return all.length === 0 ? undefined : all;
}

/** Config.Volumes: paths with an anonymous volume of the image or of `-v /path`; null when there is none. */
export function ownVolumes(box: BoxRecord): Record<string, object> | null {
  const own = box.volumes.filter(({ origin }) => origin === 'volumes');
  return own.length === 0 ? null : Object.fromEntries(own.map(({ target }) => [target, {}]));
}

/** Mounts: what the box has. */
export function mountPoints(box: BoxRecord): object[] {
  return [
    ...box.volumes.map((mount) => (mount.type === 'volume' ? volumePoint(mount) : bindPoint(mount))),
    ...box.tmpfs
      .filter(({ from_mount }) => from_mount)
      .map(({ target }) => ({
        Type: 'tmpfs',
        Source: '',
        Destination: target,
        Mode: '',
        RW: true,
        Propagation: '',
      })),
  ];
}

function bindPoint({ source, target, mode, read_only }: VolumeMount): object {
  return {
    Type: 'bind',
    Source: source,
    Destination: target,
    Mode: mode,
    RW: !read_only,
    Propagation: 'rprivate',
  };
}

function volumePoint({ name, source, target, mode, read_only }: VolumeMount): object {
  return {
    Type: 'volume',
    Name: name,
    Source: source,
    Destination: target,
    Driver: 'local',
    Mode: mode,
    RW: !read_only,
    Propagation: '',
  };
}
