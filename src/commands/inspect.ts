/** `inspect`: boxes, images and volumes as JSON, or through a template. */
import { inspectObject, type InspectType } from '../engine/inspect.ts';
import { A3sError } from '../errors.ts';
import { goQuote } from '../go-quote.ts';
import { oneLine } from '../output/one-line.ts';
import { type Command, type CommandContext, defineCommand } from './command.ts';
import { never } from './flags/spec.ts';
import { templateFlag } from './format-flag.ts';
import { withSizes } from './rows/box-sizes.ts';

const flags = {
  format: templateFlag,
  size: { kind: 'bool', short: 's', help: 'Display total file sizes if the type is container' },
  type: {
    kind: 'string',
    help: 'Only inspect objects of the given type',
    partly: '`container`, `image` and `volume`',
  },
} as const;

export const inspect: Command = defineCommand({
  summary: 'Return low-level information on boxes, images and volumes',
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  args: { min: 1 },
  flags,
  examples: [
    ['web', 'All that is known, as JSON'],
    ["-f '{{.State.Status}} {{.State.ExitCode}}' web", 'Two values of it'],
  ],
  run: (context, { flags: { format, size, type }, args }) =>
    show(context, args, { format, size, type: typeOf(type) }),
});

export const containerInspect: Command = defineCommand({
  summary: 'Display detailed information on one or more boxes',
  usage: '[OPTIONS] BOX [BOX...]',
  args: { min: 1 },
  flags: { format: flags.format, size: { ...flags.size, help: 'Display total file sizes' } },
  examples: [["-f '{{json .NetworkSettings.Ports}}' web", 'Its published ports, as JSON']],
  run: (context, { flags: { format, size }, args }) =>
    show(context, args, { format, size, type: 'container' }),
});

export const imageInspect: Command = defineCommand({
  summary: 'Display detailed information on one or more images',
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  args: { min: 1 },
  flags: {
    format: flags.format,
    platform: never('string', 'a name stands for an image of one platform'),
  },
  examples: [["-f '{{.Os}}/{{.Architecture}}' alpine", "An image's platform"]],
  run: (context, { flags: { format }, args }) => show(context, args, { format, size: false, type: 'image' }),
});

export const volumeInspect: Command = defineCommand({
  summary: 'Display detailed information on one or more volumes',
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  args: { min: 1 },
  flags: { format: flags.format },
  examples: [["-f '{{.Mountpoint}}' data", 'Where its files are on this host']],
  run: (context, { flags: { format }, args }) => show(context, args, { format, size: false, type: 'volume' }),
});

interface Wanted {
  format: string | undefined;
  size: boolean;
  type: InspectType | undefined;
}

/** Prints what was found, then an error line for each name that was not. */
async function show(context: CommandContext, names: readonly string[], wanted: Wanted): Promise<number> {
  const render = await rendererOf(wanted.format);
  const engine = await context.engine();
  const found: unknown[] = [];
  const failures: A3sError[] = [];
  for (const name of names) {
    try {
      const object = await inspectObject(engine, name, wanted.type);
      found.push(wanted.size ? await withSizes(engine, object) : object);
    } catch (error) {
      if (!(error instanceof A3sError)) throw error;
      failures.push(error);
    }
  }
  await context.print(render(found));
  for (const failure of failures) {
    const unknownObject = wanted.type === undefined && failure.code === 'no_such_box';
    if (unknownObject) context.warn(oneLine(`Error: ${failure.message}`));
    else context.report(failure);
  }
  return failures.length === 0 ? 0 : 1;
}

async function rendererOf(format: string | undefined): Promise<(found: readonly unknown[]) => string> {
  if (format === undefined || format === '') return (found) => `${JSON.stringify(found, null, 4)}\n`;
  if (format === 'json') return (found) => `${JSON.stringify(found)}\n`;
  const { renderer } = await import('../output/template/document.ts');
  const { templateView } = await import('./rows/template-view.ts');
  const render = renderer(format);
  return (found) =>
    found.length === 0 ? '\n' : found.map((each) => `${render(templateView(each))}\n`).join('');
}

function typeOf(text: string | undefined): InspectType | undefined {
  if (text === undefined) return undefined;
  if (text === 'container' || text === 'image' || text === 'volume') return text;
  if (['network', 'config', 'node', 'plugin', 'secret', 'service', 'task'].includes(text)) {
    throw new A3sError('unsupported', `--type ${text} is not supported yet`);
  }
  const fault = text === '' ? 'type is empty' : `unknown type: ${goQuote(text)}`;
  throw new A3sError('usage', `${fault}: must be one of "container", "image", "volume"`);
}
