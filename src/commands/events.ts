/** `events`: what happened to boxes, images and volumes, and what happens now. */
import { type DatedEvent, readEvents } from '../engine/events.ts';
import { defineCommand } from './command.ts';
import { eventJson, eventLine, eventView } from './rows/event-row.ts';
import { timeOf } from './time-flag.ts';

export const events = defineCommand({
  summary: 'Get real time events',
  usage: '[OPTIONS]',
  args: { min: 0, max: 0 },
  flags: {
    filter: { kind: 'filter', short: 'f', help: 'Filter output based on conditions provided' },
    format: {
      kind: 'string',
      help: `Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`,
    },
    since: { kind: 'string', help: 'Show all events created since timestamp' },
    until: { kind: 'string', help: 'Stream events until this timestamp' },
  },
  examples: [
    ['--filter type=container --filter event=die', 'Ends of boxes, as they happen'],
    ['--since 1h --until 0s --format json', 'The last hour, as JSON'],
  ],
  async run(context, { flags }) {
    const render = await rendererOf(flags.format);
    const stream = readEvents(await context.engine(), {
      since: timeOf(flags.since),
      until: timeOf(flags.until),
      filters: flags.filter,
    });
    for await (const event of stream) await context.print(`${render(event)}\n`);
  },
});

async function rendererOf(format: string | undefined): Promise<(event: DatedEvent) => string> {
  if (format === undefined || format === '') return eventLine;
  if (format === 'json' || format === '{{json .}}') return eventJson;
  const { renderer } = await import('../output/template/document.ts');
  const { templateView } = await import('./rows/template-view.ts');
  const render = renderer(format);
  return (event) => render(templateView(eventView(event)));
}
