/** `history`: the steps that an image was made in, newest first. */
import type { Image } from '../images/image.ts';
import { layerSizes } from '../images/rootfs.ts';
import type { Engine } from './types.ts';

export interface HistoryStep {
  /** The image's ID at its newest step, `<missing>` at the others: there are no intermediate images. */
  id: string;
  /** RFC 3339; empty when the step does not say. */
  created: string;
  createdBy: string;
  /** Bytes of the files in the step's layer. */
  size: number;
  comment: string;
  tags: string[];
}

/** The steps of an image. */
export function imageHistory(engine: Engine, image: Image): HistoryStep[] {
  return historyOf(image, layerSizes(engine.layout, image));
}

/** Steps of the configuration, or one for each layer where it tells of none. Pure. @param sizes of its layers, in bytes. */
export function historyOf(image: Image, sizes: readonly number[]): HistoryStep[] {
  const { history } = image.config;
  const told = history.length > 0;
  const steps = told
    ? history
    : image.layers.map(() => ({ created: image.created, createdBy: '', comment: '', emptyLayer: false }));
  let layer = 0;
  const oldestFirst = steps.map(({ created, createdBy, comment, emptyLayer }) => {
    const size = emptyLayer ? 0 : (sizes[layer] ?? 0);
    if (!emptyLayer) layer += 1;
    return {
      id: '<missing>',
      created,
      createdBy,
      size,
      comment,
      tags: [] as string[],
    };
  });
  const newestFirst = oldestFirst.toReversed();
  const [newest] = newestFirst;
  if (newest !== undefined) Object.assign(newest, { id: image.id, tags: image.repoTags });
  return newestFirst;
}
