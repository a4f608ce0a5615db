/** `--output` and its short forms (docker/buildx: util/buildflags/export.go, commands/build.go, build/opt.go). */
import { statSync, type Stats } from 'node:fs';

import { A3sError, hasErrno } from '../../errors.ts';
import { parseReference } from '../../images/reference.ts';
import { type ExportEntry, flagOf, parseExportEntry, refuseUnknownCompression } from './export-entry.ts';

/** What images and archives of them have in common. */
export interface ImageForm {
  /** As given, with or without a tag. */
  names: string[];
  /** Media types. */
  form: 'oci' | 'docker';
  /** Of the manifest. */
  annotations: Record<string, string>;
}

export type BuildOutput =
  /** `push`: to the registries of its names as well; `store`: kept here under its names. */
  | (ImageForm & { type: 'image'; push: boolean; store: boolean; insecure: boolean })
  /** An archive: `dest` is a file, or `-` for stdout; with `tar: false` a directory. */
  | (ImageForm & { type: 'oci' | 'docker'; dest: string; tar: boolean })
  | { type: 'tar' | 'local'; dest: string };

export interface OutputFlags {
  /** Values of `--output`, as given. */
  outputs: readonly string[];
  push: boolean;
  load: boolean;
  /** `-t`. */
  tags: readonly string[];
  /** Archives are not written to a terminal. */
  stdoutIsTerminal: boolean;
}

/**
 * What a build is to make: an image in the store when nothing is asked for; nothing for `type=cacheonly`.
 * @throws A3sError `usage` in buildx's words; `unsupported` for what BuildKit has and a3s-box has not.
 */
export function buildOutputs(flags: OutputFlags): BuildOutput[] {
  const entries = flags.outputs.filter((text) => text !== '').map(parseExportEntry);
  let stdout = 0;
  for (const entry of entries) {
    checkDestination(entry, flags.stdoutIsTerminal);
    stdout += entry.dest === '-' ? 1 : 0;
    if (stdout > 1) throw usage('multiple outputs configured to write to stdout');
  }
  if (flags.push) addPush(entries);
  if (flags.load && !entries.some(isLoad)) entries.push({ type: 'docker', dest: '', attributes: new Map() });
  if (entries.length === 0) entries.push({ type: 'image', dest: '', attributes: new Map() });
  for (const tag of flags.tags) checkTag(tag);
  return entries.filter(({ type }) => type !== 'cacheonly').map((entry) => outputOf(entry, flags.tags));
}

function addPush(entries: ExportEntry[]): void {
  const images = entries.filter(({ type }) => type === 'image');
  for (const { attributes } of images) attributes.set('push', 'true');
  if (images.length === 0) entries.push({ type: 'image', dest: '', attributes: new Map([['push', 'true']]) });
}

function isLoad({ type, dest }: ExportEntry): boolean {
  return type === 'docker' && dest === '';
}

/** `dest` gets its default here. */
function checkDestination(entry: ExportEntry, stdoutIsTerminal: boolean): void {
  const { type } = entry;
  const isArchive = type === 'oci' || type === 'docker';
  if (type === 'local' || (isArchive && !tarOf(entry))) checkDirectory(entry);
  else if (type === 'tar' || isArchive) {
    if (entry.dest === '' && type !== 'docker') entry.dest = '-';
    if (entry.dest === '-') {
      if (!stdoutIsTerminal) return;
      throw usage(`dest file is required for ${type} exporter. refusing to write to console`);
    }
    if (entry.dest !== '' && statOf(entry.dest, 'file')?.isDirectory() === true) {
      throw usage(`destination file ${entry.dest} is a directory`);
    }
  }
}

function checkDirectory({ type, dest }: ExportEntry): void {
  if (dest === '') throw usage(`dest is required for ${type} exporter`);
  if (dest === '-') throw usage(`dest cannot be stdout for ${type} exporter`);
  const stat = statOf(dest, 'directory');
  if (stat !== null && !stat.isDirectory()) throw usage(`destination directory ${dest} is a file`);
}

function statOf(path: string, kind: string): Stats | null {
  try {
    return statSync(path);
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) return null;
    const reason = hasErrno(cause, 'ENOTDIR') ? 'not a directory' : 'permission denied';
    throw new A3sError('usage', `invalid destination ${kind}: ${path}: stat ${path}: ${reason}`, { cause });
  }
}

/** Anything but a false word leaves it an archive. */
function tarOf({ attributes }: ExportEntry): boolean {
  return !['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(attributes.get('tar') ?? '');
}

function checkTag(tag: string): void {
  try {
    parseReference(tag);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new A3sError('usage', `invalid tag "${tag}": ${reason}`, { cause });
  }
}

function outputOf(entry: ExportEntry, tags: readonly string[]): BuildOutput {
  const { type, dest, attributes } = entry;
  switch (type) {
    case 'local':
    case 'tar':
      return { type, dest };
    case 'oci':
      return { type, dest, tar: tarOf(entry), ...formOf(entry, tags, 'oci') };
    case 'docker':
      // Without a file it goes where `docker load` takes it.
      if (dest !== '') return { type, dest, tar: tarOf(entry), ...formOf(entry, tags, 'docker') };
      return { type: 'image', push: false, store: true, insecure: false, ...formOf(entry, tags, 'oci') };
    case 'image': {
      const push = flagOf(attributes, 'push', false);
      const form = formOf(entry, tags, 'oci');
      if (push && form.names.length === 0) throw usage('tag is needed when pushing to registry');
      if (flagOf(attributes, 'push-by-digest', false)) {
        throw new A3sError('unsupported', 'push-by-digest is currently not implemented', {
          hint: 'push it under a tag',
        });
      }
      const insecure = flagOf(attributes, 'registry.insecure', false);
      return { type, push, store: flagOf(attributes, 'store', true), insecure, ...form };
    }
    default:
      throw usage(`exporter "${type}" could not be found`);
  }
}

function formOf(
  { attributes }: ExportEntry,
  tags: readonly string[],
  byDefault: 'oci' | 'docker',
): ImageForm {
  refuseUnknownCompression(attributes);
  const own = (attributes.get('name') ?? '').split(',').filter((name) => name !== '');
  for (const name of own) checkTag(name);
  const annotations = [...attributes].flatMap(([key, value]) => {
    const [, name] = /^annotation(?:-manifest)?\.(.+)$/.exec(key) ?? [];
    return name === undefined ? [] : [[name, value]];
  });
  return {
    names: tags.length > 0 ? [...tags] : own,
    form: flagOf(attributes, 'oci-mediatypes', byDefault === 'oci') ? 'oci' : 'docker',
    annotations: Object.fromEntries(annotations),
  };
}

function usage(message: string): A3sError {
  return new A3sError('usage', message);
}
