/** The files of a checkout: what they look like must depend on the commit alone. */
import { chmodSync, lstatSync, lutimesSync, readdirSync, readFileSync, rmSync, type Stats } from 'node:fs';
import { join } from 'node:path';

const STANDARD_UMASK = '0022';

/** Rights as with the umask 022, whatever the user's is. */
export function standardModes(directory: string): void {
  if (umask() === STANDARD_UMASK) return;
  walk(directory, (path, { mode }, isLink) => {
    const owner = (mode >> 6) & 0o7;
    if (!isLink) chmodSync(path, (owner << 6) | ((owner & 0o5) << 3) | (owner & 0o5));
  });
}

/** @param seconds since 1970 */
export function setTimes(directory: string, seconds: number): void {
  walk(directory, (path) => lutimesSync(path, seconds, seconds));
}

/** Files with which submodules name their repositories, which are not kept. */
export function withoutGitFiles(directory: string): void {
  walk(directory, (path, stats) => {
    if (path.endsWith('/.git') && stats.isFile()) rmSync(path);
  });
}

/** Directories after what is in them. */
function walk(path: string, visit: (path: string, stats: Stats, isLink: boolean) => void): void {
  const stats = lstatSync(path);
  if (stats.isDirectory()) for (const name of readdirSync(path)) walk(join(path, name), visit);
  visit(path, stats, stats.isSymbolicLink());
}

/** Node's own way to read it changes it for a moment. */
function umask(): string | undefined {
  const [, mask] = /^Umask:\s*(\d+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return mask;
}
