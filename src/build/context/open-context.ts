/** The main context and its Dockerfile, from wherever the command line says (buildx, build/opt.go `loadInputs`). */
import type { ContextRequest, OpenedContext, SourceOptions } from './types.ts';

/**
 * Opens the context and reads the Dockerfile and the ignore patterns. Whatever it puts into `tempDir` goes when the result is
 * disposed.
 * @throws A3sError in the words of buildx and BuildKit: `unable to prepare context: path "x" not found`,
 *   `failed to read dockerfile: open Dockerfile: no such file or directory`.
 */
export declare function openBuildContext(
  request: ContextRequest,
  options: SourceOptions,
): Promise<OpenedContext>;
