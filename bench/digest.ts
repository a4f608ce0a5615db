/** Digests of what was moved, to tell that all of it arrived. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, readdirSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { join } from 'node:path';

/** SHA-256 of a file, in hex. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** SHA-256 over the names and contents of the files in a directory: what TREE_DIGEST prints in that directory. */
export function treeDigest(directory: string): string {
  const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');
  const lines = readdirSync(directory)
    .toSorted()
    .map((name) => `${sha256(readFileSync(join(directory, name)))}  ${name}\n`);
  return sha256(lines.join(''));
}

/** For a shell, in a directory whose names have neither blanks nor letters beyond ASCII. */
export const TREE_DIGEST = 'ls | sort | xargs sha256sum | sha256sum | cut -d " " -f 1';

/** @throws Error when the file has another digest */
export async function expectFile(path: string, digest: string): Promise<void> {
  const found = await fileDigest(path);
  if (found !== digest) throw new Error(`${path} has the digest ${found} instead of ${digest}`);
}
