/** `pool start`: boxes of an image kept warm, which `run` then takes. */
import { startPool, waitUntilFull } from '../../engine/pool/pools.ts';
import { memoryMiB } from '../../engine/limits.ts';
import { A3sError } from '../../errors.ts';
import { defineCommand } from '../command.ts';

const NS_PER_MS = 1e6;

export const poolStart = defineCommand({
  summary: 'Keep boxes of an image warm, for run to take',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    cpus: { kind: 'decimal', help: 'Number of CPUs of a box', default: '2' },
    image: { kind: 'string', help: 'Image of the boxes' },
    memory: { kind: 'bytes', short: 'm', help: 'Memory of a box', default: '512m' },
    size: { kind: 'int', help: 'Number of boxes', default: '2' },
    ttl: {
      kind: 'duration',
      help: 'End the pool when run takes no box for so long (0: never)',
      default: '30m',
    },
    wait: { kind: 'bool', help: 'Wait until every box is warm' },
  },
  examples: [
    ['--image a3s/base', 'Two boxes, for half an hour after the last was taken'],
    ['--image node --size 4 -m 1g --ttl 0 --wait', 'Four larger ones for ever; waits until they are warm'],
  ],
  async run(context, { flags }) {
    const { image } = flags;
    if (image === undefined || image === '') throw new A3sError('usage', 'name the image with --image');
    if (flags.ttl < 0) throw new A3sError('invalid_config', '--ttl must not be negative');
    const spec = {
      image,
      cpus: flags.cpus,
      memoryMb: memoryMiB(flags.memory),
      size: flags.size,
      ttlMs: flags.ttl / NS_PER_MS,
    };
    const engine = await context.engine();
    const pool = await startPool(engine, spec);
    if (flags.wait) await waitUntilFull(engine, pool);
    await context.print(`${image}\n`);
  },
});
