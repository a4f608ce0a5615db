/**
 * What an index entry says of its image. An image has one entry for each of its names; one that has lost its last name keeps an
 * entry without any, and is dangling. Pure.
 */
import type { Descriptor } from '../config.ts';
import { isDigest, parseReference } from '../reference.ts';
import { NAME_ANNOTATION, nameAnnotations, nameOf, SIZE_ANNOTATION, TAG_ANNOTATION } from '../store.ts';

/** Repositories and digests that the image was pulled from or pushed to: `docker.io/library/alpine@sha256:…`, spaces between. */
const ORIGINS_ANNOTATION = 'dev.a3s.image.repo-digests';

/** Whole names with the digest that a registry has the image under, which is an index's where it was pulled from one. */
export function originsOf(entry: Descriptor): string[] {
  return (entry.annotations[ORIGINS_ANNOTATION] ?? '').split(' ').filter((origin) => {
    const [name = '', digest = ''] = origin.split('@');
    if (name === '' || !isDigest(digest)) return false;
    try {
      parseReference(origin);
      return true;
    } catch {
      return false;
    }
  });
}

/** The repository of a whole name with a tag or a digest, e.g. `docker.io/library/alpine`. */
export function repositoryOf(name: string): string {
  const { domain, path } = parseReference(name);
  return `${domain}/${path}`;
}

export interface NewEntry {
  /** The image's manifest. */
  manifest: { mediaType: string; digest: string; size: number };
  /** Bytes of the layers: of their files where that is known. */
  size: number;
  /** The whole name with its tag; null for an image without a name. */
  name: string | null;
  /** Where it came from, when it came from a registry. */
  origin?: string;
}

/**
 * The index with the image under this name. Whatever had the name before keeps an entry without it, unless it has other names.
 * All entries of the image tell the same origins, so that it does not matter which name is lost.
 */
export function withImage(entries: readonly Descriptor[], added: NewEntry): Descriptor[] {
  const { manifest, size, name, origin } = added;
  const unnamed = name === null ? [...entries] : withoutName(entries, name);
  const others = origin === undefined ? unnamed : withoutOrigin(unnamed, origin);
  const known = originsIn(entries, manifest.digest);
  const origins = origin === undefined ? known : [...known, origin];
  // An entry without a name was only there to keep the image: the new one does.
  const kept = others.filter((entry) => entry.digest !== manifest.digest || nameOf(entry) !== null);
  if (name === null && kept.some((entry) => entry.digest === manifest.digest)) {
    return withOrigins(kept, manifest.digest, origins);
  }
  const annotations = {
    ...(name === null ? {} : nameAnnotations(name)),
    [SIZE_ANNOTATION]: String(size),
  };
  const { mediaType, digest, size: bytes } = manifest;
  return withOrigins([...kept, { mediaType, digest, size: bytes, annotations }], digest, origins);
}

/** The index without this name. An image that has no other keeps an entry without one. */
export function withoutName(entries: readonly Descriptor[], name: string): Descriptor[] {
  const gone = entries.find((entry) => nameOf(entry) === name);
  if (gone === undefined) return [...entries];
  const rest = entries.filter((entry) => entry !== gone);
  if (rest.some((entry) => entry.digest === gone.digest)) return rest;
  return [...rest, nameless(gone)];
}

/** The index where no image is the one that a registry has under this digest. */
function withoutOrigin(entries: readonly Descriptor[], origin: string): Descriptor[] {
  const holder = entries.find((entry) => originsOf(entry).includes(origin));
  if (holder === undefined) return [...entries];
  const rest = originsOf(holder).filter((other) => other !== origin);
  return withOrigins(entries, holder.digest, rest);
}

/** The index without any trace of the image. */
export function withoutImage(entries: readonly Descriptor[], digest: string): Descriptor[] {
  return entries.filter((entry) => entry.digest !== digest);
}

/** The same entry without its name. */
function nameless(entry: Descriptor): Descriptor {
  const { [NAME_ANNOTATION]: _name, [TAG_ANNOTATION]: _tag, ...annotations } = entry.annotations;
  return { ...entry, annotations };
}

/** The origins that any entry of the image tells. */
export function originsIn(entries: readonly Descriptor[], digest: string): string[] {
  const own = entries.filter((entry) => entry.digest === digest);
  return [...new Set(own.flatMap(originsOf))];
}

/** The index with exactly these origins at every entry of the image. */
export function withOrigins(
  entries: readonly Descriptor[],
  imageDigest: string,
  origins: Iterable<string>,
): Descriptor[] {
  const text = [...new Set(origins)].toSorted().join(' ');
  return entries.map((entry) => {
    if (entry.digest !== imageDigest) return entry;
    const { [ORIGINS_ANNOTATION]: _old, ...annotations } = entry.annotations;
    return {
      ...entry,
      annotations: text === '' ? annotations : { ...annotations, [ORIGINS_ANNOTATION]: text },
    };
  });
}
