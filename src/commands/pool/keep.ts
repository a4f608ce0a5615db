/** `__keep-pools`: the keeper of warm boxes, started by `pool start`. Descriptor 3 hears when it can be reached. */
import { writeSync } from 'node:fs';

import { Keeper } from '../../engine/pool/keeper.ts';
import { LISTENING } from '../../engine/pool/pools.ts';
import { defineCommand } from '../command.ts';

const STARTER_FD = 3;

export const keepPools = defineCommand({
  summary: 'Keep boxes warm',
  // The state directory is there to be seen in a list of processes.
  usage: 'DIRECTORY',
  args: { min: 1, max: 1 },
  flags: {},
  async run(context) {
    const keeper = new Keeper(await context.engine());
    // A terminal's Ctrl-C or a closed session ends commands, not pools.
    for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});
    process.on('SIGTERM', () => keeper.stop());
    await keeper.keep(() => writeSync(STARTER_FD, LISTENING));
  },
});
