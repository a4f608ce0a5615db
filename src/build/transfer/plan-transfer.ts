/** COPY and ADD: what they add to a stage, first as a digest, and when the cache does not have it, as a layer. */
import { createHash } from 'node:crypto';

import { DockerfileError, type Lines } from '../dockerfile/error.ts';
import { transferSourceKind } from '../dockerfile/evaluate/transfer-source.ts';
import type { Add, Copy } from '../dockerfile/instructions/types.ts';
import { isDirectory } from '../../images/layers/tree.ts';
import type { ContentSource } from '../tree/source-tree.ts';
import { textOf } from '../tree/text.ts';
import { Archive } from './archive/archive.ts';
import { unpackArchive } from './archive/unpack-archive.ts';
import { hashMatches } from './content-digest.ts';
import { type CopyOptions, copyFiles, destinationPath } from './copy-files.ts';
import { Destination, namesOf, NOTHING, type Ownership } from './destination.ts';
import { layerPlan, type LayerPlan } from './layer-plan.ts';
import { modeChange } from './mode-change.ts';
import type { TransferOptions } from './options.ts';
import { ownerOf } from './owner.ts';
import { FetchedSource, InlineSource } from './plain-sources.ts';
import { type Match, matchesOf } from './sources.ts';

/** Some files that are copied alike. */
interface Action {
  matches: Match[];
  contentsOnly: boolean;
  /** An archive among them is unpacked. */
  unpack: boolean;
}

const DIRECTORY_MODE = 0o755;
const ROOT_OWNED: Ownership = { uid: 0, gid: 0 };

/** True when the layer is the same whatever is below: nothing of the stage is looked at. `--chmod` takes that away, as in BuildKit. */
export function isIndependent({ link, chmod }: Pick<Copy | Add, 'link' | 'chmod'>): boolean {
  return link && chmod === '';
}

/**
 * What COPY or ADD adds. Its digest and that of the stage below, of which `isIndependent` needs none, are a whole key for a cache.
 * @param instruction evaluated
 * @throws DockerfileError with the instruction's lines, in BuildKit's words: `failed to compute cache key: failed to calculate checksum of
 *   ref <source>: "/x": not found`.
 */
export async function planTransfer(instruction: Copy | Add, options: TransferOptions): Promise<LayerPlan> {
  const { lines } = instruction;
  const time = options.time ?? Math.floor(Date.now() / 1000);
  return inLines(lines, async () => {
    const actions = await actionsOf(instruction, options, time);
    const root = isIndependent(instruction) ? null : options.root;
    // Looked up at once: the root may be gone when the layer is written.
    const owner = await ownerOf(instruction.chown, root);
    const contentDigest = await digestOfAll(instruction, options, actions, owner);
    return layerPlan(contentDigest, (signal) =>
      inLines(lines, async () => {
        const lower = (await root?.open()) ?? null;
        const destination = new Destination(lower, time);
        const below = root ?? NOTHING;
        await carryOut(instruction, options.workdir, { actions, destination, owner, below }, signal);
        return destination;
      }),
    );
  });
}

/** Errors that name no lines get the instruction's. */
async function inLines<T>(lines: Lines, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DockerfileError) || error.lines !== undefined) throw error;
    throw new DockerfileError(error.message, lines, error);
  }
}

async function actionsOf(instruction: Copy | Add, options: TransferOptions, time: number): Promise<Action[]> {
  const actions: Action[] = [];
  for (const text of instruction.sources) {
    const isPath = transferSourceKind(text) === 'path';
    actions.push(
      isPath
        ? await pathAction(instruction, text, options)
        : await remoteAction(instruction, text, options, time),
    );
  }
  for (const { name, content } of instruction.files) {
    const source = new InlineSource(content, time);
    const match = { source, name: baseOf(name), node: source.leaf, selected: [] };
    actions.push({ matches: [match], contentsOnly: false, unpack: false });
  }
  return actions;
}

async function pathAction(
  instruction: Copy | Add,
  text: string,
  { source, signal }: TransferOptions,
): Promise<Action> {
  if (source === null) throw new DockerfileError(`there is nothing to read ${JSON.stringify(text)} from`);
  const { kind, exclude } = instruction;
  const parents = kind === 'copy' && instruction.parents;
  return {
    matches: await matchesOf(source, { text, parents, exclude, signal }),
    contentsOnly: true,
    unpack: kind === 'add' && (instruction.unpack ?? true),
  };
}

async function remoteAction(
  instruction: Copy | Add,
  text: string,
  { remote, signal }: TransferOptions,
  time: number,
): Promise<Action> {
  const fetched = remote?.get(text);
  if (fetched === undefined) throw new DockerfileError(`${text} was not fetched`);
  const { exclude } = instruction;
  if (fetched.kind === 'directory') {
    const matches = await matchesOf(fetched.tree, { text: '/', parents: false, exclude, signal });
    return { matches, contentsOnly: false, unpack: false };
  }
  const source = new FetchedSource(text, fetched.file, fetched.mtime ?? time);
  const match = { source, name: baseOf(fetched.filename), node: source.leaf, selected: [] };
  return {
    matches: [match],
    contentsOnly: false,
    unpack: instruction.kind === 'add' && instruction.unpack === true,
  };
}

function baseOf(name: string): string {
  return namesOf(name).at(-1) ?? '';
}

async function digestOfAll(
  instruction: Copy | Add,
  { workdir, signal }: TransferOptions,
  actions: readonly Action[],
  owner: Ownership | null,
): Promise<string> {
  const hash = createHash('sha256');
  const { kind, destination, chmod, exclude, link } = instruction;
  const path = destinationPath(destination, workdir);
  hash.update(`${JSON.stringify([kind, path, owner, chmod, exclude, link])}\n`);
  for (const { matches, contentsOnly, unpack } of actions) {
    hash.update(`${JSON.stringify([matches.length, contentsOnly, unpack])}\n`);
    await hashMatches(hash, matches, signal);
  }
  return hash.digest('hex');
}

interface Work {
  actions: readonly Action[];
  destination: Destination;
  owner: Ownership | null;
  below: ContentSource;
}

async function carryOut(
  instruction: Copy | Add,
  workdir: string,
  work: Work,
  signal: AbortSignal | undefined,
): Promise<void> {
  const path = destinationPath(instruction.destination, workdir);
  const mode = modeChange(instruction.chmod);
  for (const { matches, contentsOnly, unpack } of work.actions) {
    const copy: CopyOptions = { owner: work.owner, mode, contentsOnly };
    for (const match of matches) {
      signal?.throwIfAborted();
      if (unpack && (await unpacked(match, path, work, signal))) continue;
      copyFiles(work.destination, match, path, copy);
    }
  }
}

/** @returns false when it is no archive */
async function unpacked(
  match: Match,
  path: string,
  work: Work,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { node } = match;
  if (isDirectory(node) || node.entry.type !== 'file' || node.entry.size === 0) return false;
  const archive = new Archive(() => bytesOf(match), textOf(match.name));
  if (!(await archive.isArchive())) return false;
  const { destination, owner, below } = work;
  const names = destination.resolve(namesOf(path));
  const top = destination.makeAll(names, DIRECTORY_MODE, owner ?? ROOT_OWNED);
  unpackArchive(destination, top, { entries: await archive.entries(signal), source: archive, owner, below });
  return true;
}

/** The content of the one file that a match is. */
async function* bytesOf({ source, node }: Match): AsyncGenerator<Buffer, void, undefined> {
  if (isDirectory(node)) return;
  const pieces = source.content(node);
  // Contexts are directories of the host: each file can be had alone.
  if (pieces === null) throw new Error('a file of a context that cannot be had alone');
  yield* pieces;
}
