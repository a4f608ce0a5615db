/** Keys of the build cache: what a step depends on, hashed. Pure. */
import { createHash } from 'node:crypto';

/** Goes up when a step with the same key would make another layer. */
const KEY_VERSION = 1;

/** What goes into a key. Objects count by their names, in any order. */
export type KeyPart =
  | string
  | number
  | boolean
  | null
  | readonly KeyPart[]
  | { readonly [name: string]: KeyPart };

/** 64 hex digits. @param kind tells steps of different kinds apart that depend on the same. */
export function cacheKey(kind: string, parts: KeyPart): string {
  return createHash('sha256')
    .update(canonical([KEY_VERSION, kind, parts]))
    .digest('hex');
}

/** JSON with the names of objects in order. */
function canonical(part: KeyPart): string {
  if (part === null || typeof part !== 'object') return JSON.stringify(part);
  if (isList(part)) return `[${part.map(canonical).join(',')}]`;
  const fields = Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${canonical(value)}`).join(',')}}`;
}

function isList(part: KeyPart): part is readonly KeyPart[] {
  return Array.isArray(part);
}
