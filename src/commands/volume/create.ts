/** `volume create`: a place for data that outlives boxes. */
import { createVolume } from '../../engine/volumes/volumes.ts';
import { A3sError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { never } from '../flags/spec.ts';
import { readLabels } from '../labels.ts';

const SWARM = 'it is for the volumes of a swarm';

export const volumeCreate = defineCommand({
  summary: 'Create a volume',
  usage: '[OPTIONS] [VOLUME]',
  args: { min: 0, max: 1 },
  flags: {
    driver: {
      kind: 'string',
      short: 'd',
      help: 'Specify volume driver name',
      default: 'local',
      partly: '`local`',
    },
    label: { kind: 'label', help: 'Set metadata for a volume' },
    name: { kind: 'string', help: 'Specify volume name', hidden: true },
    opt: {
      kind: 'list',
      short: 'o',
      help: 'Set driver specific options',
      partly: 'none of the options of `local`: a volume is a directory',
    },
    availability: never('string', SWARM, 'active'),
    group: never('string', SWARM),
    'limit-bytes': never('string', SWARM, '0'),
    'required-bytes': never('string', SWARM, '0'),
    scope: never('string', SWARM, 'single'),
    secret: never('list', SWARM),
    sharing: never('string', SWARM, 'none'),
    'topology-preferred': never('list', SWARM),
    'topology-required': never('list', SWARM),
    type: never('string', SWARM, 'block'),
  },
  examples: [
    ['data', 'A volume of that name'],
    ['--label tier=db', 'One whose name is drawn, with a label'],
  ],
  async run(context, { flags, args }) {
    const named = flags.name === '' ? undefined : flags.name;
    if (named !== undefined && args.length > 0) {
      throw new A3sError(
        'usage',
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      );
    }
    const labels = await readLabels(flags.label, []);
    const [name = named] = args;
    const options = {
      name: name === '' ? undefined : name,
      // As Docker: the local one is what there is without a name.
      driver: flags.driver || 'local',
      labels,
      options: flags.opt,
    };
    await context.print(`${await createVolume(await context.engine(), options)}\n`);
  },
});
