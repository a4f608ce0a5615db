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

function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, ID_LENGTH);
}

/** One row for each of an image's names; an image without any has one row of `<none>`. */
export function rowsOf(image: {
  id: string;
  digest: string;
  repoTags: readonly string[];
  created: string;
  size: number;
}): ImageRow[] {
  const { id, digest, created, size } = image;
  const names = image.repoTags.length === 0 ? [`${NONE}:${NONE}`] : image.repoTags;
  return names.map((name) => {
    const colon = name.lastIndexOf(':');
    const tagged = colon > name.lastIndexOf('/');
    const repository = tagged ? name.slice(0, colon) : name;
    return { repository, tag: tagged ? name.slice(colon + 1) : NONE, id, digest, created, size };
  });
}
