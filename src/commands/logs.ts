/** `logs`: what the workload wrote, each line to the stream it came from. */
import { readLogs } from '../engine/logs.ts';
import { A3sError } from '../errors.ts';
import { goQuote } from '../go-quote.ts';
import { defineCommand } from './command.ts';
import { timeOf } from './time-flag.ts';

export const logs = defineCommand({
  summary: 'Fetch the logs of a box',
  usage: '[OPTIONS] BOX',
  args: { min: 1, max: 1 },
  flags: {
    details: { kind: 'bool', help: 'Show extra details provided to logs' },
    follow: { kind: 'bool', short: 'f', help: 'Follow log output' },
    since: {
      kind: 'string',
      help: 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
    tail: {
      kind: 'string',
      short: 'n',
      help: 'Number of lines to show from the end of the logs',
      default: 'all',
    },
    timestamps: { kind: 'bool', short: 't', help: 'Show timestamps' },
    until: {
      kind: 'string',
      help: 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    },
  },
  examples: [
    ['-f --tail 20 web', 'The last lines, and those to come'],
    ['-t --since 10m web', 'Those of the last ten minutes, with their times'],
  ],
  async run(context, { flags, args }) {
    const [name = ''] = args;
    const lines = readLogs(await context.engine(), name, {
      follow: flags.follow,
      tail: tailOf(flags.tail),
      since: timeOf(flags.since, 'since'),
      until: timeOf(flags.until, 'until'),
    });
    for await (const line of lines) {
      const time = flags.timestamps ? `${line.time} ` : '';
      const prefix = `${time}${flags.details ? `${attributesOf(line.attributes)} ` : ''}`;
      const stream = line.stream === 'stderr' ? context.stderr : context.stdout;
      if (!stream.write(prefix + line.text)) await drained(stream);
    }
  },
});

/** As Docker's engine writes them: sorted, each part as in a query. */
function attributesOf(attributes: Readonly<Record<string, string>> = {}): string {
  const escape = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+');
  return Object.entries(attributes)
    .map(([name, value]) => `${escape(name)}=${escape(value)}`)
    .toSorted()
    .join(',');
}

/** A number of lines; undefined for all. */
function tailOf(text: string): number | undefined {
  if (text === 'all' || text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new A3sError('usage', `invalid value for "tail": must be a number or "all": ${goQuote(text)}`);
}

function drained(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => void stream.once('drain', resolve));
}
