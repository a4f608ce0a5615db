/** `--metadata-file` (docker/buildx, commands/build.go): what a build made, as JSON. */
import { canonicalTag, parseReference } from '../../images/reference.ts';
import type { WrittenImage } from './write-image.ts';

export interface BuildMetadata {
  /** `<builder>/<node>/<id>`. */
  buildRef: string;
  /** Null when nothing was made that has a digest. */
  image: WrittenImage | null;
  /** As given by `-t` or `name=`. */
  names: readonly string[];
}

/** The file's text: keys sorted, no line feed at its end. */
export function metadataJson({ buildRef, image, names }: BuildMetadata): string {
  const whole = names.map((name) => canonicalTag(parseReference(name))).join(',');
  return JSON.stringify(
    {
      'buildx.build.ref': buildRef,
      ...(image === null
        ? {}
        : {
            'containerimage.config.digest': image.id,
            'containerimage.descriptor': {
              mediaType: image.entry.mediaType,
              digest: image.entry.digest,
              size: image.entry.size,
            },
            'containerimage.digest': image.entry.digest,
          }),
      ...(whole === '' ? {} : { 'image.name': whole }),
    },
    null,
    2,
  );
}
