/** What `images` shows, by Docker's field names: a row for each tag. */
import { timeAgo } from '../../output/human-duration.ts';
import { humanSize } from '../../output/human-size.ts';
import type { Field, Listing } from '../../output/listing.ts';
import { localTime } from '../../output/local-time.ts';

export interface ImageRow {
  repository: string;
  tag: string;
  /** `sha256:…`. */
  id: string;
  /** What a registry has it under; `<none>` where none is known to. */
  digest: string;
  /** RFC 3339; empty when the image does not say. */
  created: string;
  size: number;
}

export interface ImageListingOptions {
  truncate: boolean;
  digests: boolean;
  now: Date;
}

const NONE = '<none>';
const ID_LENGTH = 12;

export function imageListing({ truncate, digests, now }: ImageListingOptions): Listing<ImageRow> {
  const created = (image: ImageRow): Date => new Date(image.created === '' ? 0 : image.created);
  const fields: Record<string, Field<ImageRow>> = {
    Repository: { heading: 'REPOSITORY', value: ({ repository }) => repository },
    Tag: { heading: 'TAG', value: ({ tag }) => tag },
    Digest: { heading: 'DIGEST', value: ({ digest }) => digest },
    ID: { heading: 'IMAGE ID', value: ({ id }) => (truncate ? shortDigest(id) : id) },
    CreatedSince: {
      heading: 'CREATED',
      value: (image) => (image.created === '' ? 'N/A' : timeAgo(created(image), now)),
    },
    CreatedAt: { heading: 'CREATED AT', value: (image) => localTime(created(image)) },
    Size: { heading: 'SIZE', value: ({ size }) => humanSize(size) },
    VirtualSize: { heading: 'SIZE', value: ({ size }) => humanSize(size) },
    SharedSize: { heading: 'SHARED SIZE', value: () => 'N/A' },
    UniqueSize: { heading: 'UNIQUE SIZE', value: () => 'N/A' },
    Containers: { heading: 'CONTAINERS', value: () => 'N/A' },
  };
  return {
    fields,
    table: ['Repository', 'Tag', ...(digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'],
    id: 'ID',
    typeName: 'imageContext',
  };
}

/** `sha256:…` as lists show it. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, ID_LENGTH);
}

/** One row for each of an image's names, and for each repository that has it under a digest alone; at least one. */
export function rowsOf(image: {
  id: string;
  repoTags: readonly string[];
  repoDigests: readonly string[];
  created: string;
  size: number;
}): ImageRow[] {
  const { id, created, size } = image;
  const digests = new Map(image.repoDigests.map((origin) => partsOf(origin, '@')));
  const tags = image.repoTags.map((name) => partsOf(name, ':'));
  const tagged = new Set(tags.map(([repository]) => repository));
  const others = [...digests.keys()].filter((repository) => !tagged.has(repository));
  const names = [...tags, ...others.map((repository) => [repository, NONE] as const)];
  if (names.length === 0) names.push([NONE, NONE]);
  return names.map(([repository, tag]) => ({
    repository,
    tag,
    id,
    digest: digests.get(repository) ?? NONE,
    created,
    size,
  }));
}

function partsOf(name: string, separator: string): readonly [string, string] {
  const at = name.lastIndexOf(separator);
  return [name.slice(0, at), name.slice(at + 1)];
}
