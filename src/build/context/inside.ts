/** Paths of a tree whose top counts as the root: nothing in them leads out of it. Names hold one byte a character. */
import { closeSync, lstatSync, readdirSync, readlinkSync, rmdirSync, unlinkSync } from 'node:fs';

import { itself, openInner, OpenPath, within } from '../../confined.ts';
import { A3sError, hasErrno } from '../../errors.ts';
import { quoted } from '../../images/layers/limits.ts';

/** As Linux does (path_resolution(7)). */
const MAX_LINKS = 40;

/** The names on a path; `..` at the top stays there. */
export function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names;
}

/**
 * The names to which these lead once links are followed; what is missing stays as it is.
 * @param top an open directory
 * @throws A3sError `invalid_config` for links without end; system errors, ENOTDIR among them
 */
export function followInside(top: number, names: readonly string[]): string[] {
  using path = new OpenPath(top);
  const resolved: string[] = [];
  const pending = names.toReversed();
  let followed = 0;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const link = name === '..' ? undefined : linkAt(path, resolved, name);
    if (name === '..') resolved.pop();
    else if (link === undefined) resolved.push(name);
    else {
      followed += 1;
      if (followed > MAX_LINKS) {
        throw new A3sError('invalid_config', `too many links on the way to ${quoted(names.join('/'))}`);
      }
      if (link.startsWith('/')) resolved.length = 0;
      pending.push(...link.split('/').filter(isName).toReversed());
    }
  }
  return resolved;
}

function isName(name: string): boolean {
  return name !== '' && name !== '.';
}

/** Undefined when there is no link. */
function linkAt(path: OpenPath, directory: readonly string[], name: string): string | undefined {
  try {
    return readlinkSync(within(path.enter(directory), name), 'latin1');
  } catch (error) {
    if (hasErrno(error, 'EINVAL', 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Removes what is in an open directory, with all below it; nothing that is not there.
 * @param path of it, for `removed`, which is told each path that goes
 */
export function removeTree(
  directory: number,
  name: string,
  path: string,
  removed: (path: string) => void,
): void {
  const there = lstatSync(within(directory, name), { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isDirectory()) unlinkSync(within(directory, name));
  else {
    const inner = openInner(directory, name);
    try {
      for (const entry of readdirSync(itself(inner), 'latin1')) {
        removeTree(inner, entry, `${path}/${entry}`, removed);
      }
    } finally {
      closeSync(inner);
    }
    rmdirSync(within(directory, name));
  }
  removed(path);
}
