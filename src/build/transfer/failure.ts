/** Errors in BuildKit's words. */
import { DockerfileError } from '../dockerfile/error.ts';
import type { SourceTree } from '../tree/source-tree.ts';

/** Looking for what an instruction reads failed. */
export function sourceFailure(source: Pick<SourceTree, 'name'>, what: string): DockerfileError {
  return new DockerfileError(
    `failed to compute cache key: failed to calculate checksum of ref ${source.name}: ${what}`,
  );
}

/** @param path in the source, absolute, as text */
export function notFound(source: Pick<SourceTree, 'name'>, path: string): DockerfileError {
  return sourceFailure(source, `${JSON.stringify(path)}: not found`);
}

/** A system call on a path of an image would fail. @param names one byte a character */
export function systemFailure(call: string, names: readonly string[], reason: string): DockerfileError {
  return new DockerfileError(`${call} ${shown(names)}: ${reason}`);
}

/** A path of an image as text. */
export function shown(names: readonly string[]): string {
  return `/${Buffer.from(names.join('/'), 'latin1').toString()}`;
}
