/** Docker's JSON as its templates see it: typed, so that maps are not structs and a null list is an empty one. */

const MAPS = new Set([
  'Data',
  'ExposedPorts',
  'Labels',
  'Networks',
  'PortBindings',
  'Ports',
  'Tmpfs',
  'Volumes',
]);
const LISTS = new Set([
  'Aliases',
  'Binds',
  'Cmd',
  'Dns',
  'Entrypoint',
  'Env',
  'ExecIDs',
  'Links',
  'Mounts',
  'OnBuild',
]);

/** A nil map or slice: empty, and null in JSON. */
class NilMap extends Map {
  toJSON(): null {
    return null;
  }
}
class NilList extends Array {
  toJSON(): null {
    return null;
  }
}

/** The same value with `Map`s where Go has maps, and empty ones where it has nil maps and slices. */
export function templateView(value: unknown, name = ''): unknown {
  if (value === null) {
    if (MAPS.has(name)) return new NilMap();
    return LISTS.has(name) ? new NilList() : null;
  }
  if (Array.isArray(value)) return value.map((each) => templateView(each));
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, each]): [string, unknown] => [
    key,
    // Keys of a map are names of its own; they say nothing about types.
    templateView(each, MAPS.has(name) ? '' : key),
  ]);
  return MAPS.has(name) ? new Map(entries) : Object.fromEntries(entries);
}
