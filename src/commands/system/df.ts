/** `system df`: what is on the disk, and what could go. */
import { diskUsage } from '../../engine/disk-usage.ts';
import { humanSize } from '../../output/human-size.ts';
import { renderListing } from '../../output/listing.ts';
import { defineCommand } from '../command.ts';
import { formatFlag } from '../format-flag.ts';
import { cacheUsageListing } from '../rows/cache-listing.ts';
import {
  boxUsageListing,
  cacheSize,
  imageUsageListing,
  imageUsageRows,
  usageListing,
  usageRows,
  volumeUsageListing,
} from '../rows/disk-usage-listing.ts';

export const systemDf = defineCommand({
  summary: 'Show disk usage of images, boxes, volumes and the build cache',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    format: formatFlag,
    verbose: { kind: 'bool', short: 'v', help: 'Show detailed information on space usage' },
  },
  examples: [
    ['', 'Space of images, boxes, volumes and the build cache'],
    ['-v', 'Each of them'],
  ],
  async run(context, { flags }) {
    const usage = await diskUsage(await context.engine());
    const table = { format: undefined, quiet: false };
    if (!flags.verbose) {
      const rows = usageRows(usage);
      await context.print(await renderListing(usageListing, rows, { ...table, format: flags.format }));
      return;
    }
    const now = new Date();
    const images = await renderListing(imageUsageListing(now), imageUsageRows(usage.images), table);
    const boxes = await renderListing(boxUsageListing(now), usage.boxes, table);
    const volumes = await renderListing(volumeUsageListing, usage.volumes, table);
    const cache = await renderListing(cacheUsageListing(now), usage.buildCache, table);
    await context.print(
      `Images space usage:\n\n${images}\nContainers space usage:\n\n${boxes}\n` +
        `Local Volumes space usage:\n\n${volumes}\n` +
        `Build cache usage: ${humanSize(cacheSize(usage.buildCache), 4)}\n\n${cache}`,
    );
  },
});
