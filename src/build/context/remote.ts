/** What ADD fetches. */
export { fetchRemoteFile } from './remote-file.ts';
export { fetchGit, resolveGitCommit } from './git.ts';
