/** What ADD fetches (BuildKit, source/http and source/git). */
import type { GitCheckout, RemoteFile, SourceOptions } from './types.ts';

/**
 * @param checksum `sha256:…`; empty to take what comes
 * @throws A3sError in BuildKit's words: `invalid response status 404`, `digest mismatch …`
 */
export declare function fetchRemoteFile(
  url: string,
  options: SourceOptions & { checksum: string },
): Promise<RemoteFile>;

/**
 * @param url with its `#ref:subdirectory` or `?ref=…&subdir=…`
 * @param options `checksum`: the commit's hash or its beginning, empty to take what the reference says; `keepGitDirectory` undefined: as the URL says
 * @throws A3sError naming the repository without what is secret in its URL
 */
export declare function fetchGit(
  url: string,
  options: SourceOptions & { checksum: string },
): Promise<GitCheckout>;

/** The commit that the URL stands for now, which takes no download: for the key of a cache. */
export declare function resolveGitCommit(
  url: string,
  options: SourceOptions & { checksum: string },
): Promise<string>;
