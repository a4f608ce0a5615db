/** Names in a request for a build: of images and platforms. */
import { A3sError } from '../errors.ts';
import { goQuote } from '../go-quote.ts';
import { parsePlatform } from '../images/platform.ts';
import { parseReference } from '../images/reference.ts';

/** @throws A3sError `usage` in buildx's words for a tag or a platform that is none. */
export function checkBuildNames(request: { tags: readonly string[]; platform: string | undefined }): void {
  for (const tag of request.tags) {
    try {
      parseReference(tag);
    } catch (cause) {
      throw new A3sError('usage', `invalid tag ${goQuote(tag)}: ${reasonOf(cause)}`, { cause });
    }
  }
  if (request.platform !== undefined) parsePlatform(request.platform);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
