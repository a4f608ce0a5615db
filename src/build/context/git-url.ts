/**
 * URLs of repositories, with the reference and the directory in them (BuildKit, util/gitutil/git_url.go and
 * frontend/dockerfile/dfgitutil/git_ref.go). Pure.
 */
import { posix } from 'node:path';

import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';

export interface GitReference {
  /** What git is given, a user and a password in it among them. */
  remote: string;
  scheme: 'http' | 'https' | 'ssh' | 'git';
  /** A branch, a tag or a commit; empty for the default branch. */
  ref: string;
  /** Relative, cleaned; empty for all of the repository. */
  subdirectory: string;
  /** The commit's hash or its beginning; empty when the URL says none. */
  checksum: string;
  /** Undefined when the URL says nothing. */
  keepGitDirectory: boolean | undefined;
  submodules: boolean;
  commitTimes: boolean;
  /** The checksum is the commit to fetch, whatever the reference. */
  fetchByCommit: boolean;
}

const SCHEME = /^([a-zA-Z0-9]+):\/\//;
/** `user@host:path`, as scp writes it. */
const SCP_STYLE = /^([\w-]+)@([a-zA-Z0-9.-]+):(.*?)(?:\?(.*?))?(?:#(.*))?$/;
const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
const HIDDEN = 'xxxxx';

/**
 * @returns undefined for what names no repository: a path, another URL
 * @throws A3sError `usage` in BuildKit's words for a query that makes no sense
 */
export function parseGitReference(text: string): GitReference | undefined {
  if (text.startsWith('./') || text.startsWith('../')) return undefined;
  const parts = partsOf(text.startsWith('github.com/') ? `https://${text}` : text);
  if (parts === undefined) return undefined;
  const isWeb = parts.scheme === 'http' || parts.scheme === 'https';
  if (isWeb && !parts.path.endsWith('.git') && !text.startsWith('github.com/')) return undefined;
  const { ref, subdirectory } = fragmentOf(parts.fragment);
  const reference: GitReference = {
    remote: parts.remote,
    scheme: parts.scheme,
    ref,
    subdirectory,
    checksum: '',
    keepGitDirectory: undefined,
    submodules: true,
    commitTimes: false,
    fetchByCommit: false,
  };
  applyQuery(reference, new URLSearchParams(parts.query));
  if (reference.ref.startsWith('-')) throw usage(`invalid git ref ${goQuote(reference.ref)}`);
  return { ...reference, subdirectory: cleaned(reference.subdirectory) };
}

interface Parts {
  scheme: GitReference['scheme'];
  remote: string;
  path: string;
  query: string;
  fragment: string;
}

function partsOf(text: string): Parts | undefined {
  const [, scheme] = SCHEME.exec(text) ?? [];
  if (scheme === undefined) {
    const [whole, user = '', host = '', path = '', query = '', fragment = ''] = SCP_STYLE.exec(text) ?? [];
    if (whole === undefined) return undefined;
    return { scheme: 'ssh', remote: `${user}@${host}:${path}`, path, query, fragment };
  }
  const known = scheme.toLowerCase();
  if (known !== 'http' && known !== 'https' && known !== 'ssh' && known !== 'git') return undefined;
  if (!URL.canParse(text)) return undefined;
  const [before = '', ...fragment] = text.split('#');
  const [remote = '', ...query] = before.split('?');
  const { pathname } = new URL(remote);
  return {
    scheme: known,
    remote,
    path: pathname,
    query: query.join('?'),
    fragment: decoded(fragment.join('#')),
  };
}

function fragmentOf(fragment: string): { ref: string; subdirectory: string } {
  const colon = fragment.indexOf(':');
  if (colon < 0) return { ref: fragment, subdirectory: '' };
  return { ref: fragment.slice(0, colon), subdirectory: cleaned(fragment.slice(colon + 1)) };
}

/** Nothing leads out of the repository. */
function cleaned(path: string): string {
  return posix.normalize(`/${path}`).replaceAll(/^\/+|\/+$/g, '');
}

function applyQuery(reference: GitReference, query: URLSearchParams): void {
  let tag = '';
  let branch = '';
  for (const key of new Set(query.keys())) {
    const [value = '', ...more] = query.getAll(key);
    if (more.length > 0) throw usage(`query ${goQuote(key)} has multiple values`);
    switch (key) {
      case 'ref':
        reference.ref = agreed('ref', reference.ref, needed(key, value));
        break;
      case 'tag':
        tag = needed(key, value);
        break;
      case 'branch':
        branch = needed(key, value);
        break;
      case 'subdir':
        reference.subdirectory = agreed('subdir', reference.subdirectory, needed(key, value));
        break;
      case 'checksum':
      case 'commit':
        reference.checksum = needed(key, value);
        break;
      case 'keep-git-dir':
        reference.keepGitDirectory = flag(key, value);
        break;
      case 'submodules':
        reference.submodules = flag(key, value);
        break;
      case 'fetch-by-commit':
        reference.fetchByCommit = flag(key, value);
        break;
      case 'mtime':
        if (needed(key, value) !== 'checkout' && value !== 'commit') {
          throw usage(`invalid mtime value: ${goQuote(value)} (must be "checkout" or "commit")`);
        }
        reference.commitTimes = value === 'commit';
        break;
      default:
        needed(key, value);
        throw usage(`unexpected query ${goQuote(key)}`);
    }
  }
  if (tag !== '') reference.ref = agreed('ref', reference.ref, prefixed('refs/tags/', tag));
  if (branch === '') return;
  if (tag !== '') throw usage('branch conflicts with tag');
  reference.ref = agreed('ref', reference.ref, prefixed('refs/heads/', branch));
}

function needed(key: string, value: string): string {
  if (value === '') throw usage(`query ${goQuote(key)} has no value`);
  return value;
}

function flag(key: string, value: string): boolean {
  if (value === '' || TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  throw usage(`invalid ${key} value: ${goQuote(value)}`);
}

function agreed(what: string, before: string, value: string): string {
  if (before === '' || before === value) return value;
  throw usage(`${what} conflicts: ${goQuote(before)} vs ${goQuote(value)}`);
}

function prefixed(prefix: string, name: string): string {
  return name.startsWith(prefix) ? name : `${prefix}${name}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function usage(message: string): A3sError {
  return new A3sError('usage', message);
}

/** A URL fit for messages: `https://xxxxx:xxxxx@host/path` (BuildKit, util/urlutil/redact.go). */
export function redacted(text: string): string {
  return text.replace(/^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/)([^/?#]*)@/, (_all, scheme: string, user: string) => {
    const [name = '', ...password] = user.split(':');
    return `${scheme}${name === '' ? '' : HIDDEN}${password.length > 0 ? `:${HIDDEN}` : ''}@`;
  });
}
