/** Which commit a reference stands for at the moment. */
import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import { GitFailure, type GitProgram } from './git-program.ts';
import { type GitReference, redacted } from './git-url.ts';

export interface ResolvedReference {
  /** The hash, of the commit itself behind an annotated tag. */
  commit: string;
  /** What is asked of the server: a reference by its whole name, or a commit. */
  source: string;
  /** What it is called here. */
  target: string;
}

/** What a commit is called here that no branch was named for. */
export const UNNAMED = 'refs/a3s-box/commit';

/** True for a whole hash. */
export function isCommit(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/**
 * @param remote without what is secret in it
 * @throws A3sError in BuildKit's words
 */
export async function resolve(
  git: GitProgram,
  directory: string,
  reference: GitReference,
  remote: string,
): Promise<ResolvedReference> {
  const { ref, checksum } = reference;
  if (checksum !== '' && !/^[a-fA-F0-9]+$/.test(checksum)) {
    throw wrong(`invalid checksum ${checksum} for Git URL, expected hex commit hash`);
  }
  if (isCommit(ref)) {
    if (checksum !== '' && !ref.startsWith(checksum)) {
      throw wrong(`expected checksum to match ${checksum}, got ${ref}`);
    }
    return { commit: ref, source: ref, target: UNNAMED };
  }
  if (reference.fetchByCommit) return byCommit(reference);
  const name = ref === '' ? await defaultBranch(git, directory, reference, remote) : ref;
  const listed = await list(
    git,
    directory,
    ['ls-remote', '--', remote, name, `${name}^{}`],
    reference,
    'failed to fetch remote',
  );
  const hashes = new Map(
    listed.split('\n').map((line): [string, string] => {
      const [hash = '', of = ''] = line.split('\t');
      return [of, hash];
    }),
  );
  // A branch wins over a tag of its name, as in git checkout.
  const candidates = [prefixed('refs/', name), prefixed('refs/heads/', name), prefixed('refs/tags/', name)];
  const source = candidates.find((candidate) => hashes.has(candidate));
  const hash = source === undefined ? undefined : hashes.get(source);
  if (source === undefined || hash === undefined) {
    throw wrong(`repository does not contain ref ${name}, output: ${goQuote(listed)}`);
  }
  if (!isCommit(hash)) throw wrong(`invalid commit sha ${goQuote(hash)}`);
  const behind = hashes.get(`${source}^{}`);
  if (checksum !== '' && !hash.startsWith(checksum) && behind?.startsWith(checksum) !== true) {
    const got = behind === undefined ? hash : `${hash} or ${behind}`;
    throw wrong(`expected checksum to match ${checksum}, got ${got}`);
  }
  return { commit: behind ?? hash, source, target: source };
}

/** The commit is known; the reference only says what it is called. */
function byCommit({ ref, checksum }: GitReference): ResolvedReference {
  if (checksum === '') throw wrong('fetch-by-commit requires a checksum or a commit SHA ref');
  if (!isCommit(checksum)) {
    throw wrong(`fetch-by-commit requires a full commit SHA checksum, got ${goQuote(checksum)}`);
  }
  const target = ref === '' ? UNNAMED : ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
  return { commit: checksum, source: checksum, target };
}

async function defaultBranch(
  git: GitProgram,
  directory: string,
  reference: GitReference,
  remote: string,
): Promise<string> {
  const shown = redacted(reference.remote);
  const said = await list(
    git,
    directory,
    ['ls-remote', '--symref', '--', remote, 'HEAD'],
    reference,
    'error fetching default branch for repository',
  );
  const [, name] = /refs\/heads\/(\S+)/.exec(said) ?? [];
  if (name === undefined) throw wrong(`could not find default branch for repository: ${shown}`);
  return name.startsWith('-') ? `refs/heads/${name}` : name;
}

async function list(
  git: GitProgram,
  directory: string,
  args: readonly string[],
  { remote }: GitReference,
  what: string,
): Promise<string> {
  try {
    return await git.run(directory, args);
  } catch (error) {
    throw told(`${what} ${redacted(remote)}`, error);
  }
}

/** What git failed at, in front of what it said. */
export function told(what: string, error: unknown): unknown {
  if (!(error instanceof GitFailure)) return error;
  return new A3sError('io', `${what}: ${error.message}`, { cause: error });
}

function prefixed(prefix: string, name: string): string {
  return name.startsWith(prefix) ? name : `${prefix}${name}`;
}

function wrong(message: string): A3sError {
  return new A3sError('invalid_config', message);
}
