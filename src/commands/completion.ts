/** `completion`: a script that teaches a shell the commands, their flags, and the names of boxes, images and volumes. */
import { A3sError } from '../errors.ts';
import { defineCommand } from './command.ts';
import { bash, fish, zsh } from './completion/scripts.ts';

const SCRIPTS: Readonly<Record<string, string>> = { bash, fish, zsh };

export const completion = defineCommand({
  summary: 'Generate the autocompletion script for the specified shell',
  usage: '[bash|zsh|fish]',
  args: { min: 1, max: 1 },
  flags: {},
  examples: [
    ['bash > /etc/bash_completion.d/a3s-box', 'For every bash of this machine'],
    ['zsh > "${fpath[1]}/_a3s-box"', 'For zsh'],
  ],
  async run(context, { args: [shell = ''] }) {
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
    if (script === undefined) {
      throw new A3sError('usage', `unknown shell: "${shell}": must be one of "bash", "fish", "zsh"`);
    }
    await context.print(script);
  },
});
