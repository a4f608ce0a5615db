/** `__complete`: asked by the scripts of `completion`. */
import { defineCommand } from '../command.ts';
import { candidates, type Noun } from './candidates.ts';

export const complete = defineCommand({
  summary: 'Print what may stand at the cursor',
  usage: 'WORD...',
  args: { min: 0 },
  stopAtOperand: true,
  flags: {},
  async run(context, { args }) {
    const engine = await context.engine();
    const names = async (noun: Noun): Promise<string[]> => {
      if (noun === 'box') {
        const { listBoxes } = await import('../../engine/list.ts');
        const boxes = await listBoxes(engine, { all: true, filters: [], last: undefined });
        return boxes.map(({ name }) => name).toSorted();
      }
      if (noun === 'image') {
        const { listImages } = await import('../../engine/images.ts');
        return (await listImages(engine)).flatMap(({ repoTags }) => repoTags).toSorted();
      }
      const { listVolumes } = await import('../../engine/volumes/volumes.ts');
      return (await listVolumes(engine)).map(({ Name }) => Name).toSorted();
    };
    await context.print((await candidates(args, names)).map((each) => `${each}\n`).join(''));
  },
});
