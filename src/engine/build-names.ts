/** Names in a request for a build: of images and platforms. */
import { A3sError } from '../errors.ts';
import { goQuote } from '../go-quote.ts';
import { parsePlatform } from '../images/platform.ts';
import { parseReference } from '../images/reference.ts';

/** @throws A3sError `usage` in buildx's words for a tag or a platform that is none. */
export function checkBuildNames(request: { tags: readonly string[]; platform: string | undefined }): void {
  for (const tag of request.tags) {
    const fault = faultOf(tag);
    if (fault === undefined) continue;
    const reason = faultOf(tag.toLowerCase()) === undefined ? 'repository name must be lowercase' : fault;
    throw new A3sError('usage', `invalid tag ${goQuote(tag)}: ${reason}`);
  }
  if (request.platform !== undefined) parsePlatform(request.platform);
}

/** Why the text is no name of an image; undefined when it is one. */
function faultOf(text: string): string | undefined {
  try {
    parseReference(text);
    return undefined;
  } catch (error) {
    if (error instanceof A3sError) return error.message;
    throw error;
  }
}
