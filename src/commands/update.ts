/** `update`: what can be changed of a box that exists. */
import { parseRestartPolicy } from '../engine/restart-policy.ts';
import { updateBox } from '../engine/update.ts';
import { A3sError } from '../errors.ts';
import { defineCommand } from './command.ts';
import { never, refused } from './flags/spec.ts';
import { forEachBox } from './several.ts';

export const update = defineCommand({
  summary: 'Update configuration of one or more boxes',
  usage: '[OPTIONS] BOX [BOX...]',
  args: { min: 1 },
  flags: {
    cpus: { kind: 'decimal', help: 'Number of CPUs' },
    memory: { kind: 'bytes', short: 'm', help: 'Memory of the box' },
    restart: { kind: 'string', help: 'Restart policy to apply when a box exits' },
    'cpu-shares': { kind: 'int', short: 'c', help: '', refused: true },
    ...refused('int', 'cpu-period', 'cpu-quota', 'cpu-rt-period', 'cpu-rt-runtime', 'pids-limit'),
    ...refused('string', 'blkio-weight', 'cpuset-cpus', 'cpuset-mems', 'kernel-memory'),
    ...refused('string', 'memory-reservation'),
    'memory-swap': never('string', 'a box has no swap; give it what it needs with --memory', '-1'),
  },
  async run(context, { flags, given, args }) {
    if (given.size === 0) {
      throw new A3sError('usage', 'you must provide one or more flags when using this command');
    }
    const options = {
      // As with Docker's client, an empty policy is none.
      restartPolicy: flags.restart ? parseRestartPolicy(flags.restart) : undefined,
      memoryBytes: flags.memory,
      cpus: flags.cpus,
    };
    const engine = await context.engine();
    return forEachBox(context, args, (name) => updateBox(engine, name, options));
  },
});
