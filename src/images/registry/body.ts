/** Bodies of answers: read within a bound, because a registry may send anything. */
import { A3sError } from '../../errors.ts';
import { objectOr } from '../../json.ts';
import type { HttpAnswer } from './transport.ts';

/** The largest manifest that registries take, and the bound of every other document. */
export const MAX_DOCUMENT = 4 * 1024 * 1024;
/** What is read of an error's body. */
const MAX_ERROR = 64 * 1024;

/**
 * The whole body.
 * @throws A3sError `registry_protocol` when it has more than `limit` bytes; what `explain` makes of a break
 */
export async function readBody(answer: HttpAnswer, limit = MAX_DOCUMENT): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(answer)) {
    size += chunk.length;
    if (size > limit) {
      throw new A3sError(
        'registry_protocol',
        `${answer.url.host} answered ${answer.url.pathname} with more than ${limit} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The chunks of a body; leaving the loop early closes its connection. */
export async function* bodyOf(answer: HttpAnswer): AsyncGenerator<Buffer> {
  try {
    yield* answer.body as AsyncIterable<Buffer>;
  } catch (error) {
    throw answer.explain(error);
  }
}

/** Reads a short body away so that its connection can be used again; drops the connection of a long one. */
export async function discardBody(answer: HttpAnswer): Promise<void> {
  await answer.body.dump({ limit: MAX_ERROR }).catch(() => {});
}

/** An error's body as far as it is of use; nothing when it is too long or breaks off. */
export async function readErrorBody(answer: HttpAnswer): Promise<string> {
  return readBody(answer, MAX_ERROR).then(String, () => '');
}

/** A JSON object; an empty one when the text is something else. */
export function parseObject(text: string): Record<string, unknown> {
  try {
    return objectOr(JSON.parse(text));
  } catch {
    return {};
  }
}
