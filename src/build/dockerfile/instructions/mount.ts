/** `RUN --mount=type=…,…` (BuildKit's frontend/dockerfile/instructions/commands_runmount.go). */
import { posix } from 'node:path';

import { goQuote } from '../../../go-quote.ts';
import { parseSize } from '../../../units.ts';
import { DockerfileError } from '../error.ts';
import { suggest } from '../suggest.ts';
import { csvFields } from './csv-fields.ts';
import type { CacheSharing, Mount, MountField, MountType } from './mount-types.ts';

const TYPES: readonly MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const SHARINGS: readonly CacheSharing[] = ['shared', 'private', 'locked'];
const ID_MAX = 2 ** 32 - 1;

type Setter = (mount: Mount, value: string, key: string) => Partial<Mount>;

const source: Setter = (_mount, value) => ({ source: value });
const target: Setter = (_mount, value) => ({ target: value });
const readonly: Setter = (_mount, value, key) => ({ readonly: boolean(key, value) });
const readwrite: Setter = (_mount, value, key) => ({ readonly: !boolean(key, value) });

const SETTERS: Readonly<Record<string, Setter>> = {
  type: (_mount, value) => ({ type: oneOf('unsupported mount type', value, TYPES) }),
  from: (_mount, value) => ({ from: value }),
  source,
  target,
  readonly,
  id: (_mount, value) => ({ id: value }),
  sharing: (_mount, value) => ({ sharing: oneOf('unsupported sharing value', value, SHARINGS) }),
  required: (mount, value, key) => {
    refuseUnless(mount, key, ['secret', 'ssh']);
    return { required: boolean(key, value) };
  },
  size: (mount, value, key) => {
    refuseUnless(mount, key, ['tmpfs']);
    return { size: size(key, value) };
  },
  mode: (_mount, value, key) => ({ mode: number(key, value, 8) }),
  uid: (_mount, value, key) => ({ uid: number(key, value, 10) }),
  gid: (_mount, value, key) => ({ gid: number(key, value, 10) }),
  src: source,
  dst: target,
  destination: target,
  ro: readonly,
  rw: readwrite,
  readwrite,
  env: (_mount, value) => ({ env: value }),
};

/**
 * The fields of a `--mount` flag, not yet looked at: they may hold variables, except `from`, which must be known before the build.
 * @throws DockerfileError
 */
export function mountFields(flag: string): MountField[] {
  return csvFields(flag).map((text) => {
    const equals = text.indexOf('=');
    if (equals < 0) return { key: text.toLowerCase(), value: null, text };
    const key = text.slice(0, equals).toLowerCase();
    const value = text.slice(equals + 1);
    const dollar = value.indexOf('$');
    if (key === 'from' && dollar >= 0 && dollar !== value.length - 1) {
      throw new DockerfileError(`'${key}' doesn't support variable expansion, define alias stage instead`);
    }
    return { key, value, text };
  });
}

/**
 * The mount that the fields describe; `expand` puts variables into each value.
 * @throws DockerfileError for unknown keys, wrong values and combinations that make no sense.
 */
export function parseMount(fields: readonly MountField[], expand: (value: string) => string): Mount {
  let mount: Mount = { ...EMPTY };
  let modeGiven = false;
  for (const field of fields) {
    const change = field.value === null ? bare(mount, field) : set(mount, field, expand(field.value));
    modeGiven ||= change.readonly !== undefined;
    mount = { ...mount, ...change };
  }
  check(mount);
  if (!modeGiven) mount.readonly = mount.type !== 'cache' && mount.type !== 'tmpfs';
  return mount;
}

const EMPTY: Readonly<Mount> = {
  type: 'bind',
  from: '',
  source: '',
  target: '',
  readonly: true,
  size: 0,
  id: '',
  sharing: '',
  required: false,
  env: undefined,
  mode: undefined,
  uid: undefined,
  gid: undefined,
};

/** A key alone. */
function bare(mount: Mount, { key, text }: MountField): Partial<Mount> {
  if (key === 'readonly' || key === 'ro') return { readonly: true };
  if (key === 'readwrite' || key === 'rw') return { readonly: false };
  if (key !== 'required') {
    throw new DockerfileError(`invalid field '${text}' must be a key=value pair`);
  }
  refuseUnless(mount, key, ['secret', 'ssh']);
  return { required: true };
}

function set(mount: Mount, { key, text }: MountField, value: string): Partial<Mount> {
  const setter = Object.hasOwn(SETTERS, key) ? SETTERS[key] : undefined;
  if (setter !== undefined) return setter(mount, value, key);
  throw new DockerfileError(suggest(`unexpected key '${key}' in '${text}'`, key, Object.keys(SETTERS)));
}

function check(mount: Mount): void {
  const { type, mode, uid, gid } = mount;
  if (type === 'bind' || type === 'tmpfs') {
    for (const [key, value] of Object.entries({ mode, uid, gid })) {
      if (value !== undefined) throw new DockerfileError(`${key} not allowed for "${type}" type mounts`);
    }
  }
  if (type === 'secret') checkSecret(mount);
  // A relative one is known once the working directory is.
  else if (type !== 'ssh' && posix.isAbsolute(mount.target)) checkMountTarget(posix.normalize(mount.target));
  if (mount.sharing !== '' && type !== 'cache') {
    throw new DockerfileError(`invalid cache sharing set for ${type} mount`);
  }
  if (type === 'ssh' && mount.source !== '') throw new DockerfileError('ssh does not support source');
}

/**
 * @param target a whole path, normalised
 * @throws DockerfileError for the root, on which nothing can be mounted.
 */
export function checkMountTarget(target: string): void {
  if (target === '/') throw new DockerfileError(`invalid mount target ${goQuote(target)}`);
}

function checkSecret(mount: Mount): void {
  if (mount.from !== '') throw new DockerfileError('secret mount should not have a from');
  if (mount.sharing !== '') throw new DockerfileError('secret mount should not define sharing');
  if (mount.source === '' && mount.target === '' && mount.id === '') {
    throw new DockerfileError('invalid secret mount. one of source, target required');
  }
  if (mount.source !== '' && mount.id !== '') throw new DockerfileError("both source and id can't be set");
}

function refuseUnless(mount: Mount, key: string, types: readonly MountType[]): void {
  if (!types.includes(mount.type)) {
    throw new DockerfileError(`unexpected key '${key}' for mount type '${mount.type}'`);
  }
}

function oneOf<T extends string>(message: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value.toLowerCase());
  if (found !== undefined) return found;
  throw new DockerfileError(suggest(`${message} ${goQuote(value)}`, value, known));
}

/** Go's strconv.ParseBool. */
function boolean(key: string, value: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value)) return false;
  throw new DockerfileError(`invalid value for ${key}: ${value}`);
}

function size(key: string, value: string): number {
  try {
    return parseSize(value);
  } catch (error) {
    throw new DockerfileError(`invalid value for ${key}: ${value}`, undefined, error);
  }
}

function number(key: string, value: string, base: 8 | 10): number {
  const digits = base === 8 ? /^[0-7]{1,20}$/ : /^\d{1,20}$/;
  const parsed = digits.test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (parsed <= ID_MAX) return parsed;
  throw new DockerfileError(`invalid value ${value} for ${key}`);
}
