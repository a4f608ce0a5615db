/** The environment that `-e` and `--env-file` describe. */
import { readKeyValueFile } from './key-value-file.ts';

/**
 * `K=V` pairs, files first, so that `-e` wins. A name alone takes the caller's value; without one a name in a
 * file is dropped, and one of `-e` stays alone: it takes the image's variable away, as in Docker.
 * @throws A3sError naming the file that cannot be read or does not parse
 */
export async function readEnvironment(
  given: readonly string[],
  files: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const fromFiles = await Promise.all(files.map((file) => readKeyValueFile(file, (name) => env[name])));
  const fromFlags = given.map((entry) => {
    if (entry.includes('=')) return entry;
    const value = env[entry];
    return value === undefined ? entry : `${entry}=${value}`;
  });
  return [...fromFiles.flat(), ...fromFlags];
}
