/** `tag`: another name for an image. */
import { A3sError } from '../errors.ts';
import { canonicalTag, familiarString, parseReference, type Reference } from '../images/reference.ts';
import { withImage } from '../images/store/entries.ts';
import { changeIndex } from '../images/store/transaction.ts';
import { tellImage } from './image-events.ts';
import { requireImage } from './images.ts';
import type { Engine } from './types.ts';

/**
 * Gives the image `source` the name `target`, which moves from the image that had it.
 * @throws A3sError `usage` for a bad name, `no_such_image`.
 */
export async function tagImage(engine: Engine, source: string, target: string): Promise<void> {
  const reference = parseTarget(target);
  if (reference.digest !== undefined) {
    throw new A3sError('usage', 'refusing to create a tag with a digest reference');
  }
  const image = await requireImage(engine, source);
  await changeIndex(engine.layout, (entries) => {
    const manifest = entries.find(({ digest }) => digest === image.digest);
    if (manifest === undefined) throw new A3sError('no_such_image', `No such image: ${source}`);
    return withImage(entries, { manifest, size: image.size, name: canonicalTag(reference) });
  });
  tellImage(engine.layout, 'tag', image.id, familiarString(reference));
}

/** The other name may be bad as well: this one is told. */
function parseTarget(text: string): Reference {
  try {
    return parseReference(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new A3sError(
      'usage',
      `Error parsing reference: "${text}" is not a valid repository/tag: ${reason}`,
      {
        cause,
      },
    );
  }
}
