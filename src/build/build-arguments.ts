/** `--build-arg` (buildx, commands/build.go `listToMap`). Pure. */

/**
 * @param values `KEY=value`, or `KEY` for what the environment has of it, nothing if it has none
 * @throws A3sError `usage`
 */
export declare function parseBuildArguments(
  values: readonly string[],
  env: NodeJS.ProcessEnv,
): Map<string, string>;
