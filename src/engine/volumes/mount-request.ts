/** Mounts as they are asked for, before volumes have been looked up or made. */
import { posix } from 'node:path';

import { A3sError } from '../../errors.ts';
import type { TmpfsMount, VolumeMount } from '../../state/record.ts';

export interface MountRequest extends Pick<
  VolumeMount,
  'type' | 'target' | 'read_only' | 'mode' | 'subpath' | 'copy' | 'origin'
> {
  /** A bind mount's absolute host path; a volume's name, empty for an anonymous one. */
  source: string;
  /** A bind mount's missing directory is made. */
  makesSource: boolean;
  /** Labels of a volume that does not exist yet. */
  labels: Record<string, string>;
}

/** What one `--mount` asks for. */
export type ParsedMount = MountRequest | ({ type: 'tmpfs' } & TmpfsMount);

/** A writable mount of a volume, filled from the image; `changes` on top. */
export function volumeRequest(changes: Pick<MountRequest, 'target'> & Partial<MountRequest>): MountRequest {
  return {
    type: 'volume',
    source: '',
    read_only: false,
    // As Docker's local driver notes it.
    mode: 'z',
    subpath: '',
    copy: true,
    origin: 'binds',
    makesSource: false,
    labels: {},
    ...changes,
  };
}

/** A writable bind mount; `changes` on top. */
export function bindRequest(
  changes: Pick<MountRequest, 'source' | 'target'> & Partial<MountRequest>,
): MountRequest {
  return { ...volumeRequest(changes), type: 'bind', mode: '', copy: false, makesSource: true, ...changes };
}

/** Where nothing can be mounted, in the words of moby's volume/mounts; null for a fit path in the box. */
export function targetFault(target: string): string | null {
  if (!target.startsWith('/')) return `invalid mount path: '${target}' mount path must be absolute`;
  if (cleanPath(target) === '/') return "invalid specification: destination can't be '/'";
  return null;
}

/** @throws A3sError `usage` naming the specification that was given. */
export function checkTarget(target: string, spec: string): void {
  const fault = targetFault(target);
  if (fault !== null) throw new A3sError('usage', `invalid volume specification: '${spec}': ${fault}`);
}

/** The path without `.`, `..`, doubled and trailing slashes. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}
