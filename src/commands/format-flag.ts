/** `--format`, and what stands for it in Docker's `config.json`. */
import { type ConfiguredListing, readClientConfig } from '../engine/client-config.ts';
import type { CommandContext } from './command.ts';

/** Of the commands that list things. */
export const formatFlag = {
  kind: 'string',
  help: `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`,
} as const;

/** Of the commands that show one thing. */
export const templateFlag = {
  kind: 'string',
  short: 'f',
  help: `Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`,
} as const;

/** The format that was asked for, else the configured one, which is not for `--quiet`. */
export function listingFormat(
  client: Pick<CommandContext, 'env' | 'warn'>,
  { format, quiet }: { format: string | undefined; quiet: boolean },
  listing: ConfiguredListing,
): string | undefined {
  if (quiet || (format !== undefined && format !== '')) return format;
  return readClientConfig(client).formats[listing] || format;
}
