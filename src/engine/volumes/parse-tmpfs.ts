/** Mounts as `--tmpfs` takes them. */
import { A3sError } from '../../errors.ts';
import type { TmpfsMount } from '../../state/record.ts';
import { checkTarget, cleanPath } from './mount-request.ts';

const TMPFS_FLAGS = new Set(
  (
    'ro rw suid nosuid dev nodev exec noexec sync async dirsync mand nomand atime noatime diratime nodiratime ' +
    'relatime norelatime strictatime nostrictatime'
  ).split(' '),
);
const TMPFS_VALUES =
  /^(size=\d+[kmg%]?|mode=[0-7]+|uid=\d+|gid=\d+|nr_inodes=\d+[kmg]?|nr_blocks=\d+[kmg]?|mpol=.+)$/i;

/**
 * The tmpfs `target[:options]`; options are checked by name only.
 * @throws A3sError `usage` in Docker's words.
 */
export function parseTmpfs(spec: string): TmpfsMount {
  const colon = spec.indexOf(':');
  const target = colon < 0 ? spec : spec.slice(0, colon);
  const options = colon < 0 ? '' : spec.slice(colon + 1);
  checkTarget(target, spec);
  for (const option of options === '' ? [] : options.split(',')) checkOption(option);
  return { target: cleanPath(target), options, from_mount: false };
}

function checkOption(option: string): void {
  if (TMPFS_FLAGS.has(option) || TMPFS_VALUES.test(option)) return;
  throw new A3sError('usage', `invalid tmpfs option ["${option}"]`);
}
