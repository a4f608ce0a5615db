/** Mounts as `-v` and `--tmpfs` take them. */
import { posix, resolve } from 'node:path';

import { A3sError } from '../errors.ts';
import type { TmpfsMount, VolumeMount } from '../state/record.ts';

/** Modes that say nothing to a share: SELinux labels and the caching hints of Docker Desktop. */
const HOLLOW_MODES = new Set(['z', 'Z', 'consistent', 'cached', 'delegated']);
const PROPAGATION_MODES = new Set(['shared', 'slave', 'private', 'rshared', 'rslave', 'rprivate']);

/**
 * The bind mount `host:guest[:mode,…]`. The host path is absolute, or starts with `.` and counts from `directory`.
 * @throws A3sError `usage` in Docker's words; `unsupported` for named and anonymous volumes.
 */
export function parseVolume(spec: string, directory: string = process.cwd()): VolumeMount {
  const [source, target, modes, ...more] = spec.split(':');
  if (source === undefined || source === '' || target === '' || more.length > 0) throw invalid(spec);
  if (target === undefined) {
    checkTarget(source, spec);
    throw new A3sError('unsupported', `anonymous volumes are not supported yet: ${spec}`);
  }
  checkTarget(target, spec);
  const read_only = modes !== undefined && parseModes(modes);
  if (!source.startsWith('/') && !/^\.{1,2}(\/|$)/.test(source)) throw namedVolume(source, spec);
  return { type: 'bind', source: resolve(directory, source), target: normal(target), read_only };
}

/** True for a read-only mount. */
function parseModes(text: string): boolean {
  const modes = text.split(',');
  for (const mode of modes) {
    if (PROPAGATION_MODES.has(mode)) {
      throw new A3sError('unsupported', `mount propagation is not supported: ${mode}`);
    }
    if (mode !== 'ro' && mode !== 'rw' && !HOLLOW_MODES.has(mode)) {
      throw new A3sError('usage', `invalid mode: ${text}`);
    }
  }
  if (modes.includes('ro') && modes.includes('rw')) throw new A3sError('usage', `invalid mode: ${text}`);
  return modes.includes('ro');
}

function namedVolume(name: string, spec: string): A3sError {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    return new A3sError('unsupported', `named volumes are not supported yet: ${spec}`, {
      hint: `for a directory write ./${name}`,
    });
  }
  return new A3sError(
    'usage',
    `${name} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. ` +
      'If you intended to pass a host directory, use absolute path',
  );
}

/**
 * The tmpfs `target[:options]`; options are checked by name only.
 * @throws A3sError `usage` in Docker's words.
 */
export function parseTmpfs(spec: string): TmpfsMount {
  const colon = spec.indexOf(':');
  const target = colon < 0 ? spec : spec.slice(0, colon);
  const options = colon < 0 ? '' : spec.slice(colon + 1);
  checkTarget(target, spec);
  for (const option of options === '' ? [] : options.split(',')) checkTmpfsOption(option);
  return { target: normal(target), options };
}

const TMPFS_FLAGS = new Set(
  (
    'ro rw suid nosuid dev nodev exec noexec sync async dirsync mand nomand atime noatime diratime nodiratime ' +
    'relatime norelatime strictatime nostrictatime'
  ).split(' '),
);
const TMPFS_VALUES =
  /^(size=\d+[kmg%]?|mode=[0-7]+|uid=\d+|gid=\d+|nr_inodes=\d+[kmg]?|nr_blocks=\d+[kmg]?|mpol=.+)$/i;

function checkTmpfsOption(option: string): void {
  if (TMPFS_FLAGS.has(option) || TMPFS_VALUES.test(option)) return;
  throw new A3sError('usage', `invalid tmpfs option ["${option}"]`);
}

function checkTarget(target: string, spec: string): void {
  if (!target.startsWith('/')) {
    throw new A3sError(
      'usage',
      `invalid volume specification: '${spec}': invalid mount path: '${target}' mount path must be absolute`,
    );
  }
  if (normal(target) === '/') {
    throw new A3sError(
      'usage',
      `invalid volume specification: '${spec}': invalid specification: destination can't be '/'`,
    );
  }
}

function normal(target: string): string {
  const clean = posix.normalize(target);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

function invalid(spec: string): A3sError {
  return new A3sError('usage', `invalid volume specification: '${spec}'`);
}
