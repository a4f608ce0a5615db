import { findTool, run } from './process.mjs';

/**
 * How this user may install packages: the words before `apt-get`, or undefined where it is impossible.
 * @returns {Promise<string[] | undefined>}
 */
async function privilege() {
  if (findTool('apt-get') === undefined) return undefined;
  if (process.getuid?.() === 0) return [];
  if (findTool('sudo') === undefined) return undefined;
  if (process.stdin.isTTY) return ['sudo'];
  return run('sudo', ['-n', 'true']).then(
    () => ['sudo', '-n'],
    () => undefined,
  );
}

/**
 * Installs Debian packages, as root or through sudo.
 * @param {readonly string[]} packages
 * @returns {Promise<boolean>} false where this user may not
 */
export async function installPackages(packages) {
  const prefix = await privilege();
  if (prefix === undefined) return false;
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  // Package lists may be absent or out of date; when they are not, this saves fetching them.
  await aptGet(prefix, install).catch(async () => {
    await aptGet(prefix, ['update']);
    await aptGet(prefix, install);
  });
  return true;
}

/**
 * Fetches the package lists.
 * @returns {Promise<boolean>} false where this user may not
 */
export async function updateLists() {
  const prefix = await privilege();
  if (prefix === undefined) return false;
  await aptGet(prefix, ['update']);
  return true;
}

/**
 * @param {readonly string[]} prefix
 * @param {readonly string[]} args
 */
function aptGet(prefix, args) {
  const [program = '', ...words] = aptCommand(prefix, args);
  return run(program, words);
}

/**
 * The whole command line. The variable is set behind sudo, which passes on few of its own.
 * @param {readonly string[]} prefix
 * @param {readonly string[]} args
 */
export function aptCommand(prefix, args) {
  return [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args];
}

/**
 * The version of a package that apt would install.
 * @param {string} name
 * @returns {Promise<string | undefined>}
 */
export async function policyOf(name) {
  if (findTool('apt-cache') === undefined) return undefined;
  const policy = (await run('apt-cache', ['policy', name])).toString();
  const version = /Candidate: (\S+)/.exec(policy)?.[1];
  return version === '(none)' ? undefined : version;
}
