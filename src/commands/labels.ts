/** The labels that `-l` and `--label-file` describe. */
import { readKeyValueFile } from './key-value-file.ts';

/** Files first, so that `-l` wins. A name alone is a label without a value. */
export async function readLabels(
  given: readonly string[],
  files: readonly string[],
): Promise<Record<string, string>> {
  const fromFiles = await Promise.all(files.map((file) => readKeyValueFile(file, () => '')));
  return Object.fromEntries(
    [...fromFiles.flat(), ...given].map((entry) => {
      const equals = entry.indexOf('=');
      return equals === -1 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}
