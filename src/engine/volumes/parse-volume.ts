/** Mounts as `-v` takes them (moby, volume/mounts/linux_parser.go). */
import { resolve } from 'node:path';

import { A3sError } from '../../errors.ts';
import { checkVolumeName } from '../../state/volume-record.ts';
import { bindRequest, checkTarget, cleanPath, type MountRequest, volumeRequest } from './mount-request.ts';

/** Modes that say nothing to a share: SELinux labels and the caching hints of Docker Desktop. */
const HOLLOW_MODES = new Set(['z', 'Z', 'consistent', 'cached', 'delegated']);
const PROPAGATION_MODES = new Set(['shared', 'slave', 'private', 'rshared', 'rslave', 'rprivate']);

/**
 * The mount `[host-path|volume-name:]target[:mode,…]`. A host path is absolute, or starts with `.` and counts from
 * `directory`; a target alone is an anonymous volume.
 * @throws A3sError `usage` in Docker's words, `invalid_config` for what is no volume's name, `unsupported` for propagation.
 */
export function parseVolume(spec: string, directory: string = process.cwd()): MountRequest {
  if (spec === '') throw new A3sError('usage', 'invalid empty volume spec');
  const [source, target, modes, ...more] = spec.split(':');
  // Docker's client looks for what is empty in specifications of more than two characters.
  if (spec.length > 2 && (source === '' || target === '')) {
    throw new A3sError('usage', `invalid spec: ${spec}: empty section between colons`);
  }
  if (source === undefined || source === '' || target === '' || more.length > 0) throw invalid(spec);
  if (target === undefined) {
    checkTarget(source, spec);
    return volumeRequest({ target: cleanPath(source), mode: '', origin: 'volumes' });
  }
  checkTarget(target, spec);
  const bind = source.startsWith('/') || /^\.{1,2}(\/|$)/.test(source);
  const words = modes === undefined ? [] : parseModes(modes, bind);
  const given = { target: cleanPath(target), read_only: words.includes('ro') };
  if (bind) {
    const mode = words.filter((word) => word !== 'rw').join(',');
    return bindRequest({ ...given, source: resolve(directory, source), mode });
  }
  checkName(source);
  return volumeRequest({
    ...given,
    source,
    copy: !words.includes('nocopy'),
    ...(modes === undefined ? {} : { mode: modes }),
  });
}

function parseModes(text: string, bind: boolean): string[] {
  const modes = text.split(',');
  for (const mode of modes) {
    if (PROPAGATION_MODES.has(mode)) {
      throw new A3sError('unsupported', `mount propagation is not supported: ${mode}`);
    }
    const known = mode === 'ro' || mode === 'rw' || HOLLOW_MODES.has(mode) || (mode === 'nocopy' && !bind);
    if (!known) throw new A3sError('usage', `invalid mode: ${text}`);
  }
  if (modes.includes('ro') && modes.includes('rw')) throw new A3sError('usage', `invalid mode: ${text}`);
  return modes;
}

function checkName(name: string): void {
  try {
    checkVolumeName(name);
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    throw new A3sError('invalid_config', error.message, { hint: `for a directory write ./${name}` });
  }
}

function invalid(spec: string): A3sError {
  return new A3sError('usage', `invalid volume specification: '${spec}'`);
}
