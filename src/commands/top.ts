/** `top`: the processes of a box. */
import { boxProcesses } from '../engine/top.ts';
import { defineCommand } from './command.ts';
import { parsePsOptions } from './rows/ps-options.ts';
import { processTable } from './rows/process-table.ts';

export const top = defineCommand({
  summary: 'Display the running processes of a box',
  usage: 'BOX [ps OPTIONS]',
  args: { min: 1 },
  stopAtOperand: true,
  flags: {},
  examples: [
    ['web', 'The processes of a box'],
    ['web -o pid,user,args', 'Columns of your own'],
  ],
  async run(context, { args: [name = '', ...options] }) {
    const columns = parsePsOptions(options);
    await context.print(processTable(await boxProcesses(await context.engine(), name), columns));
  },
});
