/** Small values that builds remember: a file's digest by its state, a URL's by its ETag. Losing one costs the work of finding it again. */
import { readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

import { isObject } from '../../json.ts';
import { namesIn } from '../../state/directory.ts';
import { buildCachePaths, type Layout } from '../../state/layout.ts';
import { hashOf, writeWhole } from './step-file.ts';

/** All of them together; the ones that were unused longest go first. */
const MAX_BYTES = 256 * 1024 ** 2;
/** As BuildKit forgets what nobody has used. */
const KEPT_MS = 60 * 24 * 3600 * 1000;
/** What was used lately need not be noted again. */
const NOTED_MS = 3600 * 1000;

/** Undefined when nothing is known. */
export function recallMemo(layout: Layout, key: string): unknown {
  const file = memoFile(layout, key);
  try {
    const memo: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const now = Date.now();
    if (now - statSync(file).mtimeMs > NOTED_MS) utimesSync(file, now / 1000, now / 1000);
    return isObject(memo) ? memo['value'] : undefined;
  } catch {
    return undefined;
  }
}

export function rememberMemo(layout: Layout, key: string, value: unknown): void {
  writeWhole(memoFile(layout, key), JSON.stringify({ value }));
}

/** Forgets those that nobody has used for long, and as many of the others as are too much. @param all each of them. */
export function trimMemos(layout: Layout, all: boolean): void {
  const directory = buildCachePaths(layout).memos;
  if (all) {
    rmSync(directory, { recursive: true, force: true });
    return;
  }
  const memos = namesIn(directory).flatMap((name) => {
    const stat = statSync(join(directory, name), { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ name, bytes: stat.size, used: stat.mtimeMs }];
  });
  let bytes = 0;
  for (const memo of memos.toSorted((a, b) => b.used - a.used)) {
    bytes += memo.bytes;
    if (bytes <= MAX_BYTES && Date.now() - memo.used <= KEPT_MS) continue;
    rmSync(join(directory, memo.name), { force: true });
  }
}

function memoFile(layout: Layout, key: string): string {
  return join(buildCachePaths(layout).memos, `${hashOf(key)}.json`);
}
