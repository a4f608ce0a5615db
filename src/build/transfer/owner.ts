/** `--chown` and USER: names are looked up in the root (BuildKit's llb.WithUser and solver/llbsolver/ops/user_linux.go). */
import { type Directory, followLinks, isDirectory, type Leaf, nodeAt } from '../../images/layers/tree.ts';
import { DockerfileError } from '../dockerfile/error.ts';
import type { SourceTree } from '../tree/source-tree.ts';
import { bytesOf } from '../tree/text.ts';
import type { Ownership } from './destination.ts';
import { systemFailure } from './failure.ts';

const MAX_FILE_BYTES = 10 * 1024 ** 2;
const NUMBER = /^[+-]?\d{1,10}$/;
const ID_RANGE = 2 ** 32;

/**
 * The owner that a text means: `user`, `user:group`, numbers or names. A name that is not known is root's, as in BuildKit.
 * @param root null: there is none to look into (`--link`)
 * @returns null for an empty text
 * @throws DockerfileError for a name without a root, and for a user database that is none
 */
export async function ownerOf(text: string, root: SourceTree | null): Promise<Ownership | null> {
  if (text === '') return null;
  const colon = text.indexOf(':');
  const user = colon < 0 ? text : text.slice(0, colon);
  const group = colon < 0 ? null : text.slice(colon + 1);
  const owner = { uid: 0, gid: 0 };
  const uid = idOf(user);
  if (uid !== null) [owner.uid, owner.gid] = [uid, uid];
  else {
    const [, , own, primary] = await lookUp(root, ['etc', 'passwd'], user);
    [owner.uid, owner.gid] = [numberIn(own), numberIn(primary)];
  }
  if (group === null) return owner;
  const gid = idOf(group);
  if (gid !== null) owner.gid = gid;
  else {
    const found = await lookUp(root, ['etc', 'group'], group);
    if (found.length > 0) owner.gid = numberIn(found[2]);
  }
  return owner;
}

/** Null for a name. */
function idOf(text: string): number | null {
  if (text === 'root' || text === '') return 0;
  if (!NUMBER.test(text) || Math.abs(Number(text)) >= 2 ** 31) return null;
  return (Number(text) + ID_RANGE) % ID_RANGE;
}

function numberIn(field: string | undefined): number {
  const number = Number(field ?? 0);
  return Number.isSafeInteger(number) && number >= 0 && number < ID_RANGE ? number : 0;
}

/** The fields of the first line about a name; none when there is no such line. */
async function lookUp(root: SourceTree | null, path: string[], name: string): Promise<string[]> {
  if (root === null) throw new DockerfileError('invalid user index: -1');
  const text = await readText(root, await root.open(), path);
  const wanted = bytesOf(name);
  for (const line of text.split('\n')) {
    const fields = line.trim().split(':');
    if (fields[0] === wanted) return fields;
  }
  return [];
}

async function readText(root: SourceTree, top: Directory, path: string[]): Promise<string> {
  const names = followLinks(top, path);
  if (names === null) throw new DockerfileError('too many links');
  const node = nodeAt(top, names);
  if (node === undefined) return '';
  if (isDirectory(node) || node.entry.type !== 'file') {
    throw new DockerfileError(`/${names.join('/')} is not a regular file`);
  }
  if (node.entry.size > MAX_FILE_BYTES) {
    throw systemFailure('read', names, `exceeds ${MAX_FILE_BYTES} bytes`);
  }
  return (await contentOf(root, node)).toString('latin1');
}

async function contentOf(source: SourceTree, leaf: Leaf): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const alone = source.content(leaf);
  if (alone !== null) return Buffer.concat([...alone]);
  await source.stream(new Set([leaf]), {
    begin: () => undefined,
    content: (bytes) => void pieces.push(Buffer.from(bytes)),
    settled: async () => undefined,
  });
  return Buffer.concat(pieces);
}
