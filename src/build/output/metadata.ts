/** `--metadata-file` (docker/buildx, commands/build.go): what a build made, as JSON. */
import type { Descriptor } from '../../images/config.ts';

export interface BuildMetadata {
  /** `<builder>/<node>/<id>`. */
  buildRef: string;
  image: { id: string; entry: Descriptor } | null;
  /** As given by `-t`, made whole. */
  names: readonly string[];
}

/** The file's text. */
export declare function metadataJson(metadata: BuildMetadata): string;
