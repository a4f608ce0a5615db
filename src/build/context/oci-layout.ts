/** `oci-layout://directory[:tag][@digest]` (buildx, util/ocilayout/parse.go; BuildKit, client/ociindex). */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { A3sError } from '../../errors.ts';
import { isObject, objectOr } from '../../json.ts';
import { NAME_ANNOTATION, TAG_ANNOTATION } from '../../images/store.ts';

export const OCI_LAYOUT = 'oci-layout://';
const DIGEST = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;
const TAG = /^[\w][\w.-]{0,127}$/;
const MAX_INDEX_BYTES = 4 * 1024 ** 2;

/**
 * @returns the image's directory and digest
 * @throws A3sError `invalid_config` for a layout that has no such image
 */
export async function parseOciLayout(
  text: string,
  cwd: string,
): Promise<{ directory: string; digest: string }> {
  const { path, tag, digest } = partsOf(text.slice(OCI_LAYOUT.length));
  const directory = resolve(cwd, path);
  if (digest !== undefined) return { directory, digest };
  try {
    return { directory, digest: await digestOf(directory, path, tag) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new A3sError(
      'invalid_config',
      `oci-layout reference ${JSON.stringify(text)} could not be resolved: ${reason}`,
      { cause: error },
    );
  }
}

function partsOf(text: string): { path: string; tag: string; digest: string | undefined } {
  const at = text.lastIndexOf('@');
  const after = text.slice(at + 1);
  const digest = at >= 0 && DIGEST.test(after) ? after : undefined;
  const rest = digest === undefined ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(':');
  const tag = rest.slice(colon + 1);
  if (colon < 0 || !TAG.test(tag)) return { path: rest, tag: 'latest', digest };
  return { path: rest.slice(0, colon), tag, digest };
}

/** By the whole name first, then by the tag; the only image of a layout needs neither. */
async function digestOf(directory: string, shown: string, tag: string): Promise<string> {
  const path = join(directory, 'index.json');
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new Error(`could not read ${join(shown, 'index.json')}`, { cause: error });
  });
  const images = bytes.length > MAX_INDEX_BYTES ? [] : manifestsOf(bytes.toString());
  const named = (key: string): unknown =>
    images.find(({ annotations }) => objectOr(annotations)[key] === tag)?.['digest'];
  const found = named(NAME_ANNOTATION) ?? named(TAG_ANNOTATION) ?? only(images);
  if (found === undefined) throw new Error('failed to resolve digest');
  if (typeof found !== 'string' || !DIGEST.test(found))
    throw new Error(`invalid digest ${JSON.stringify(found)}`);
  return found;
}

function only(images: readonly Record<string, unknown>[]): unknown {
  return images.length === 1 ? images[0]?.['digest'] : undefined;
}

function manifestsOf(text: string): Record<string, unknown>[] {
  try {
    const { manifests } = objectOr(JSON.parse(text));
    return Array.isArray(manifests) ? manifests.filter(isObject) : [];
  } catch {
    return [];
  }
}
