/** `--build-context name=path|URL|docker-image://…|oci-layout://…` (buildx, util/buildflags/context.go and build/opt.go). */
import type { NamedContext, OpenedSource, SourceOptions } from './types.ts';

/**
 * @param values as they were given: `name=value`
 * @returns what each name stands for; the last one of a name counts
 * @throws A3sError `usage` in buildx's words for what has no `=`, a name that is none, a directory or an image that is not there
 */
export declare function parseNamedContexts(
  values: readonly string[],
  cwd: string,
): Promise<Map<string, NamedContext>>;

/** Opens one when a stage needs it. Images are the caller's: they are no directory. */
export declare function openNamedContext(
  name: string,
  context: Exclude<NamedContext, { kind: 'image' | 'oci-layout' }>,
  options: SourceOptions,
): Promise<OpenedSource>;
