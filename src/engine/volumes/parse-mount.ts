/** Mounts as `--mount` takes them (docker/cli, opts/mount.go; what the engine checks: moby, volume/mounts/validate.go). */
import { resolve } from 'node:path';

import { A3sError } from '../../errors.ts';
import { checkVolumeName } from '../../state/volume-record.ts';
import { parseSize } from '../../units.ts';
import { csvFields } from './csv-fields.ts';
import { bindRequest, cleanPath, type ParsedMount, targetFault, volumeRequest } from './mount-request.ts';

/** Docker's keys that name the same. */
const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};
/** Keys that mean yes when they stand alone. */
const FLAGS = new Set(['readonly', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src']);
const VALUES =
  'type source target consistency bind-propagation bind-recursive volume-subpath volume-label volume-driver volume-opt ' +
  'image-subpath tmpfs-size tmpfs-mode';
const KEYS = new Set([...FLAGS, ...VALUES.split(' ')]);
/** Docker's types that are not there. */
const REFUSED_TYPES = new Set(['npipe', 'cluster', 'image']);

interface Fields {
  /** The last value of each key. */
  values: ReadonlyMap<string, string>;
  labels: Record<string, string>;
}

/**
 * The mount that `key=value,…` describes; relative sources count from `directory`.
 * @throws A3sError `usage` for what Docker's client refuses, `invalid_config` for what its engine does, `unsupported`.
 */
export function parseMount(spec: string, directory: string = process.cwd()): ParsedMount {
  const fields = readFields(spec);
  const { values } = fields;
  const type = values.get('type')?.toLowerCase() ?? 'volume';
  checkMix(values, type);
  const target = values.get('target') ?? '';
  if (target === '') throw new A3sError('usage', 'target is required');
  if (REFUSED_TYPES.has(type)) throw new A3sError('unsupported', `mounts of type ${type} are not supported`);
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs') throw unfit(type, 'mount type unknown');
  const fault = targetFault(target);
  if (fault !== null) throw unfit(type, fault);
  const read_only = flag(values, 'readonly');
  const given = { target: cleanPath(target), read_only, origin: 'mounts' as const };
  if (type === 'tmpfs') {
    return { type, target: given.target, options: tmpfsOptions(values, read_only), from_mount: true };
  }
  const mode = read_only ? 'ro' : undefined;
  if (type === 'volume') return { ...volumeOf(fields), ...given, ...(mode === undefined ? {} : { mode }) };
  return bindRequest({ ...given, ...bindOf(values, directory), mode: mode ?? '' });
}

function readFields(spec: string): Fields {
  const text = spec.trim();
  if (text === '') throw new A3sError('usage', 'value is empty');
  const values = new Map<string, string>();
  const labels: Record<string, string> = {};
  for (const field of csvFields(text)) {
    const equals = field.indexOf('=');
    const word = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const key = ALIASES[word] ?? word;
    if (equals < 0 && !FLAGS.has(key)) {
      throw new A3sError('usage', `invalid field '${field}' must be a key=value pair`);
    }
    if (!KEYS.has(key)) throw new A3sError('usage', `unexpected key '${word}' in '${field}'`);
    const value = equals < 0 ? 'true' : field.slice(equals + 1);
    // Judged here, where the key is known as it was written.
    if (FLAGS.has(key)) parseBool(word, value);
    if (key === 'volume-label') {
      const [name = '', ...rest] = value.split('=');
      if (name !== '') labels[name] = rest.join('=');
    }
    values.set(key, value);
  }
  return { values, labels };
}

/** Options of one type do not go with another. */
function checkMix(values: Fields['values'], type: string): void {
  for (const family of ['volume', 'bind', 'image', 'tmpfs']) {
    const mixed = family !== type && [...values.keys()].some((key) => key.startsWith(`${family}-`));
    if (mixed) throw new A3sError('usage', `cannot mix '${family}-*' options with mount type '${type}'`);
  }
}

function volumeOf({ values, labels }: Fields): ReturnType<typeof volumeRequest> {
  const driver = values.get('volume-driver') ?? 'local';
  if (driver !== 'local' && driver !== '') {
    throw new A3sError('unsupported', `volume drivers are not supported: ${driver}`, {
      hint: 'the driver local is always there',
    });
  }
  if (values.has('volume-opt')) {
    throw new A3sError('unsupported', `volume options are not supported: ${values.get('volume-opt')}`);
  }
  const source = values.get('source') ?? '';
  if (source !== '') checkVolumeName(source);
  const subpath = values.get('volume-subpath') ?? '';
  const clean = subpath === '' ? '' : cleanPath(subpath);
  if (clean.startsWith('/') || /^\.\.(\/|$)/.test(clean)) {
    throw unfit('volume', 'subpath must be a relative path within the volume');
  }
  return volumeRequest({
    target: '',
    source,
    labels,
    subpath: clean === '.' ? '' : clean,
    // A part of a volume is not filled: it must be there.
    copy: !flag(values, 'volume-nocopy') && clean === '',
  });
}

function bindOf(values: Fields['values'], directory: string): { source: string; makesSource: boolean } {
  const source = values.get('source') ?? '';
  if (source === '') throw unfit('bind', 'field Source must not be empty');
  if (!source.startsWith('/') && !/^\.{1,2}(\/|$)/.test(source)) {
    throw unfit('bind', `invalid mount path: '${source}' mount path must be absolute`);
  }
  const propagation = values.get('bind-propagation') ?? 'rprivate';
  if (propagation !== 'rprivate' && propagation !== 'private') {
    throw new A3sError('unsupported', `mount propagation is not supported: ${propagation}`);
  }
  const recursive = values.get('bind-recursive') ?? 'enabled';
  if (recursive !== 'enabled' && recursive !== 'writable') {
    throw new A3sError(
      'unsupported',
      `bind-recursive=${recursive} is not supported: a share shows what is below it`,
    );
  }
  if (flag(values, 'bind-nonrecursive')) {
    throw new A3sError('unsupported', 'bind-nonrecursive is not supported: a share shows what is below it');
  }
  return { source: resolve(directory, source), makesSource: flag(values, 'bind-create-src') };
}

/** Options of a tmpfs in the kernel's words, as moby converts them. */
function tmpfsOptions(values: Fields['values'], readOnly: boolean): string {
  if (values.has('source')) throw unfit('tmpfs', 'field Source must not be specified');
  const options = readOnly ? ['ro'] : [];
  const size = values.get('tmpfs-size');
  if (size !== undefined) options.push(`size=${bytes(size)}`);
  const mode = values.get('tmpfs-mode');
  if (mode !== undefined) {
    if (!/^[0-7]{1,10}$/.test(mode)) throw badValue('tmpfs-mode', mode);
    options.push(`mode=${mode.replace(/^0+(?=.)/, '')}`);
  }
  return options.join(',');
}

function bytes(text: string): number {
  try {
    return parseSize(text);
  } catch {
    throw badValue('tmpfs-size', text);
  }
}

function flag(values: Fields['values'], key: string): boolean {
  return parseBool(key, values.get(key) ?? 'false');
}

/** Go's `strconv.ParseBool`. */
function parseBool(key: string, text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw badValue(key, text);
}

function badValue(key: string, text: string): A3sError {
  return new A3sError('usage', `invalid value for ${key}: ${text}`);
}

function unfit(type: string, fault: string): A3sError {
  return new A3sError('invalid_config', `invalid mount config for type "${type}": ${fault}`);
}
