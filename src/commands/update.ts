/** `update`: what can be changed of a box that exists. */
import { parseRestartPolicy } from '../engine/restart-policy.ts';
import { checkSettings } from '../engine/settings/check.ts';
import { updateBox } from '../engine/update.ts';
import { A3sError } from '../errors.ts';
import { updatedSettings } from './box-settings.ts';
import { defineCommand } from './command.ts';
import { impossibleFlags, settingsFlags } from './settings-flags.ts';
import { forEachBox } from './several.ts';

export const update = defineCommand({
  summary: 'Update configuration of one or more boxes',
  usage: '[OPTIONS] BOX [BOX...]',
  args: { min: 1 },
  flags: {
    cpus: { kind: 'decimal', help: 'Number of CPUs' },
    memory: { kind: 'bytes', short: 'm', help: 'Memory of the box' },
    restart: { kind: 'string', help: 'Restart policy to apply when a box exits' },
    'cpu-period': settingsFlags['cpu-period'],
    'cpu-quota': settingsFlags['cpu-quota'],
    'memory-reservation': settingsFlags['memory-reservation'],
    'memory-swap': settingsFlags['memory-swap'],
    'pids-limit': settingsFlags['pids-limit'],
    'blkio-weight': impossibleFlags['blkio-weight'],
    'cpu-rt-period': impossibleFlags['cpu-rt-period'],
    'cpu-rt-runtime': impossibleFlags['cpu-rt-runtime'],
    'cpu-shares': impossibleFlags['cpu-shares'],
    'cpuset-cpus': impossibleFlags['cpuset-cpus'],
    'cpuset-mems': impossibleFlags['cpuset-mems'],
    'kernel-memory': impossibleFlags['kernel-memory'],
  },
  examples: [
    ['-m 256m --cpus 0.5 web', 'Other limits, at once if it runs'],
    ['--restart on-failure:3 web db', 'Another restart policy for two boxes'],
  ],
  async run(context, { flags, given, args }) {
    if (given.size === 0) {
      throw new A3sError('usage', 'you must provide one or more flags when using this command');
    }
    const settings = updatedSettings(flags);
    // What fits no box is told once, a swap with the status of a flag that is refused.
    if (flags.memory !== undefined) checkSettings(settings, flags.memory);
    const options = {
      // As with Docker's client, an empty policy is none.
      restartPolicy: flags.restart ? parseRestartPolicy(flags.restart) : undefined,
      memoryBytes: flags.memory,
      cpus: flags.cpus,
      settings,
    };
    const engine = await context.engine();
    return forEachBox(context, args, (name) => updateBox(engine, name, options));
  },
});
