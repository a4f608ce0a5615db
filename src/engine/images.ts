/** Images, as the verbs mean them. */
import { A3sError } from '../errors.ts';
import { findImage, isImageId, listSummaries } from '../images/find.ts';
import type { Image } from '../images/image.ts';
import { fits, hostPlatform, normal, parsePlatform, platformString } from '../images/platform.ts';
import { familiarString, parseReference } from '../images/reference.ts';
import type { ImageSummary } from '../images/summaries.ts';
import { newestFirst } from './newest-first.ts';
import type { Engine } from './types.ts';

export type { Image };

/** Every image in the store, newest first. */
export async function listImages(engine: Engine): Promise<ImageSummary[]> {
  const images = await listSummaries(engine.layout, engine.bundleDir, damageTold(engine));
  return images.toSorted((a, b) => newestFirst(a.created, b.created));
}

/**
 * The image that `text` means.
 * @throws A3sError `no_such_image` naming it as Docker does, with its tag; `usage` when it is no reference.
 */
export async function requireImage(engine: Engine, text: string): Promise<Image> {
  const image = await findImage(engine.layout, engine.bundleDir, text);
  if (image !== null) return image;
  throw new A3sError('no_such_image', `No such image: ${familiarImage(text)}`, {
    hint: '`a3s-box images` lists what is there, `a3s-box pull` brings more',
  });
}

/** Tells of images that are left out because they are damaged. */
export function damageTold(engine: Engine): (error: A3sError) => void {
  return ({ message, hint }) => engine.notify(`WARNING: ${message}${hint === undefined ? '' : `; ${hint}`}`);
}

/** The image as Docker's messages name it: with its tag, or its ID as it was given. */
export function familiarImage(text: string): string {
  return isImageId(text) ? text : familiarString(parseReference(text));
}

/** @throws A3sError `usage` in the words of Docker's client for what is no platform. */
export function checkPlatformName(text: string): void {
  parsePlatform(text, 'error parsing specified platform: ');
}

/**
 * Says so when the image is for another platform than this host's.
 * @throws A3sError `no_such_image` in Docker's words when it is not for the one that was asked for.
 */
export function checkPlatform(engine: Engine, image: Image, asked: string | undefined): void {
  const offered = normal(image.config.os, image.config.architecture, image.config.variant);
  const wanted = asked === undefined ? hostPlatform() : parsePlatform(asked);
  if (fits(offered, wanted)) return;
  if (asked !== undefined) {
    throw new A3sError(
      'no_such_image',
      `image with reference ${image.repoTags[0] ?? image.id} was found but does not provide the specified platform (${platformString(wanted)})`,
    );
  }
  engine.notify(
    `WARNING: The requested image's platform (${platformString(offered)}) does not match the detected host platform ` +
      `(${platformString(wanted)}) and no specific platform was requested`,
  );
}
