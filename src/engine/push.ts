/** `push`: an image from the store to its registry. */
import { A3sError } from '../errors.ts';
import { listImages } from '../images/find.ts';
import type { Image } from '../images/image.ts';
import { familiarName, familiarString, parseReference, type Reference } from '../images/reference.ts';
import { pushImage } from '../images/transfer/push.ts';
import { repositoryOf } from '../images/store/entries.ts';
import { damageTold } from './images.ts';
import { connect, type PullOptions } from './pull.ts';
import { tellImage } from './image-events.ts';
import type { Engine } from './types.ts';

export type PushOptions = Pick<PullOptions, 'allTags' | 'insecure' | 'progress' | 'signal'>;

/**
 * Pushes one tag of a repository, or all of them.
 * @returns the whole reference, e.g. `docker.io/library/alpine:latest`.
 * @throws A3sError `usage` for a bad reference, `no_such_image`, and whatever the registry and the store throw.
 */
export async function push(engine: Engine, text: string, options: PushOptions): Promise<string> {
  const reference = parseReference(text);
  if (reference.digest !== undefined) throw new A3sError('usage', 'cannot push a digest reference');
  const hasTag = /:[^/]*$/.test(text);
  if (options.allTags === true && hasTag) {
    throw new A3sError('usage', "tag can't be used with --all-tags/-a");
  }
  const { progress } = options;
  if (options.allTags !== true && !hasTag) progress.line(`Using default tag: ${reference.tag}`);
  const repository = `${reference.domain}/${reference.path}`;
  progress.line(`The push refers to repository [${repository}]`);
  const images = await imagesToPush(engine, reference, options.allTags === true);
  const registry = await connect(reference.domain, options);
  try {
    for (const { image, tag } of images) {
      const signal = options.signal ?? new AbortController().signal;
      const pushed = await pushImage(engine.layout, registry, {
        reference: { ...reference, tag },
        image,
        progress,
        signal,
      });
      progress.line(`${tag}: digest: ${pushed.digest} size: ${pushed.size}`);
      tellImage(engine.layout, 'push', familiarString({ ...reference, tag }), familiarName(reference));
    }
    return options.allTags === true ? repository : `${repository}:${reference.tag}`;
  } finally {
    await registry.close();
  }
}

async function imagesToPush(
  engine: Engine,
  reference: Reference,
  all: boolean,
): Promise<{ image: Image; tag: string }[]> {
  const repository = `${reference.domain}/${reference.path}`;
  const images = await listImages(engine.layout, engine.bundleDir, damageTold(engine));
  const found = images.flatMap((image) =>
    image.repoTags.flatMap((name) => {
      const { tag = '' } = parseReference(name);
      return repositoryOf(name) === repository && (all || tag === reference.tag) ? [{ image, tag }] : [];
    }),
  );
  if (found.length > 0) return found;
  const name = familiarName(reference);
  throw new A3sError(
    'no_such_image',
    all
      ? `An image does not exist locally with the tag: ${name}`
      : `tag does not exist: ${name}:${reference.tag}`,
    { hint: `give an image that name: a3s-box tag IMAGE ${name}:${reference.tag ?? 'latest'}` },
  );
}
