/** A commit of a repository, checked out (BuildKit, source/git). Nothing of it is kept between builds: one commit is fetched, not its history. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import { settingsFor } from './git-access.ts';
import { setTimes, standardModes, withoutGitFiles } from './git-files.ts';
import { GitFailure, GitProgram } from './git-program.ts';
import { isCommit, type ResolvedReference, resolve, told, UNNAMED } from './git-resolve.ts';
import { subdirectoryOf } from './git-subdirectory.ts';
import { type GitReference, parseGitReference, redacted } from './git-url.ts';
import type { GitCheckout, SourceOptions } from './types.ts';

export type GitOptions = SourceOptions & {
  /** The commit's hash or its beginning; empty to take what the reference says. */
  checksum: string;
};

/**
 * Checks out what the URL names.
 * @param url with its `#ref:subdirectory` or `?ref=…&subdir=…`
 * @throws A3sError naming the repository without what is secret in its URL
 */
export async function fetchGit(url: string, options: GitOptions): Promise<GitCheckout> {
  const reference = referenceOf(url, options);
  const settings = await settingsFor(reference, options);
  const git = new GitProgram(settings);
  const place = await mkdtemp(join(options.tempDir, 'git-'));
  const remove = (): Promise<void> => rm(place, { recursive: true, force: true });
  try {
    const resolved = await resolve(git, place, reference, settings.remote);
    const tree = join(place, 'tree');
    const keep = reference.keepGitDirectory === true && reference.subdirectory === '';
    const store = keep ? join(tree, '.git') : join(place, 'store');
    await mkdir(tree);
    const within = [`--git-dir=${store}`, `--work-tree=${tree}`];
    const run = (...args: string[]): Promise<string> => git.run(tree, [...within, ...args]);
    const sha256 = resolved.commit.length === 64 ? ['--object-format=sha256'] : [];
    await git.run(place, [
      'init',
      '--quiet',
      '--template=',
      ...sha256,
      ...(keep ? [tree] : ['--bare', store]),
    ]);
    await run('remote', 'add', 'origin', settings.remote);
    await fetch(run, reference, resolved);
    const commit = await commitOf(run, reference, resolved.target);
    try {
      await (keep
        ? checkOutKept(run, resolved)
        : run('checkout', '--quiet', '--no-overlay', commit, '--', '.'));
    } catch (error) {
      throw told(`failed to checkout remote ${redacted(reference.remote)}`, error);
    }
    if (reference.submodules) await updateSubmodules(run, reference);
    if (keep) await run('remote', 'set-url', 'origin', redacted(reference.remote));
    if (keep) await run('reflog', 'expire', '--all', '--expire=now');
    if (keep) await rm(join(store, 'FETCH_HEAD'), { force: true });
    const committed = Number((await run('log', '-1', '--format=%ct', commit)).trim());
    if (!keep) await rm(store, { recursive: true, force: true });
    const directory = subdirectoryOf(tree, reference.subdirectory);
    if (!keep) withoutGitFiles(tree);
    standardModes(tree);
    if (options.commitTimes === true || reference.commitTimes) setTimes(directory, committed);
    return { directory, commit, committed, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The commit that the URL stands for now, which takes no download: for the key of a cache. */
export async function resolveGitCommit(url: string, options: GitOptions): Promise<string> {
  const reference = referenceOf(url, options);
  const settings = await settingsFor(reference, options);
  const { commit } = await resolve(new GitProgram(settings), options.tempDir, reference, settings.remote);
  return commit;
}

/** What the URL and the options say together. */
function referenceOf(url: string, { checksum, keepGitDirectory }: GitOptions): GitReference {
  const reference = parseGitReference(url);
  if (reference === undefined) {
    throw new A3sError('usage', `invalid git context ${redacted(url)}`);
  }
  if (checksum !== '' && reference.checksum !== '' && checksum !== reference.checksum) {
    throw new A3sError(
      'invalid_config',
      `checksum mismatch ${goQuote(checksum)} != ${goQuote(reference.checksum)}`,
    );
  }
  const inUrl = reference.keepGitDirectory;
  if (keepGitDirectory !== undefined && inUrl !== undefined && keepGitDirectory !== inUrl) {
    throw new A3sError('invalid_config', 'inconsistent keep-git-dir configuration');
  }
  return {
    ...reference,
    checksum: checksum === '' ? reference.checksum : checksum,
    keepGitDirectory: inUrl ?? keepGitDirectory,
  };
}

type Run = (...args: string[]) => Promise<string>;

/** Brings the commit, at first without its history, which not every server can leave out. */
async function fetch(run: Run, reference: GitReference, wanted: ResolvedReference): Promise<void> {
  const refspec = `+${wanted.source}:${wanted.target}`;
  const attempts = [
    ['fetch', '--progress', '--update-head-ok', '--no-tags', '--depth=1', 'origin', refspec],
    ['fetch', '--progress', '--update-head-ok', '--no-tags', 'origin', refspec],
    // A commit that the server does not give by its hash is in the history of some branch or tag.
    ['fetch', '--progress', '--update-head-ok', '--tags', 'origin', '+refs/heads/*:refs/remotes/origin/*'],
  ];
  for (const [n, args] of attempts.entries()) {
    try {
      await run(...args);
      if (n === 2) await run('update-ref', wanted.target, wanted.source);
      return;
    } catch (error) {
      const isLast = n === (isCommit(wanted.source) ? 2 : 1);
      if (isLast || !mayHelp(error)) {
        throw told(`failed to fetch remote ${redacted(reference.remote)}`, error);
      }
    }
  }
}

function mayHelp(error: unknown): boolean {
  return (
    error instanceof GitFailure && /--depth|shallow|not our ref|unadvertised object/.test(error.complaint)
  );
}

/**
 * The commit behind what was fetched.
 * @throws A3sError when it is not the one that was asked for
 */
async function commitOf(run: Run, { checksum }: GitReference, fetched: string): Promise<string> {
  const found = (await run('rev-parse', '--verify', fetched)).trim();
  const commit = (await run('rev-parse', '--verify', `${fetched}^{commit}`)).trim();
  if (checksum !== '' && !found.startsWith(checksum) && !commit.startsWith(checksum)) {
    const got = found === commit ? found : `${found} or ${commit}`;
    throw new A3sError('invalid_config', `expected checksum to match ${checksum}, got ${got}`);
  }
  return commit;
}

/** As BuildKit leaves a repository that stays with its files: the commit alone, HEAD on it. */
async function checkOutKept(run: Run, { target }: ResolvedReference): Promise<void> {
  await run('checkout', '--quiet', '--detach', target);
  if (target === UNNAMED) await run('update-ref', '-d', target);
}

async function updateSubmodules(run: Run, { remote }: GitReference): Promise<void> {
  try {
    await run('submodule', '--quiet', 'update', '--init', '--recursive', '--depth=1');
  } catch (error) {
    throw told(`failed to update submodules for ${redacted(remote)}`, error);
  }
}
