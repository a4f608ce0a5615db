/** `info`: this installation and what its host lacks. */
import { systemInfo } from '../engine/info.ts';
import { defineCommand } from './command.ts';
import { templateFlag } from './format-flag.ts';
import { dockerInfo, renderInfo } from './rows/system-info.ts';

export const info = defineCommand({
  summary: 'Display system-wide information',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: { format: templateFlag },
  examples: [
    ['', 'What runs boxes here'],
    ["-f '{{.ContainersRunning}}'", 'One value of it'],
  ],
  async run(context, { flags }) {
    const facts = await systemInfo(await context.engine());
    if (flags.format !== undefined && flags.format !== '') {
      const { renderer } = await import('../output/template/document.ts');
      await context.print(`${renderer(flags.format, '', 'system.dockerInfo')(dockerInfo(facts))}\n`);
      return;
    }
    await context.print(renderInfo(facts));
  },
});
