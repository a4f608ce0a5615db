/** Help texts, in Docker's layout. */
import type { Command } from './command.ts';
import { flagUsages } from './flags/help.ts';
import { COMMON, groups, load, plain, spellings, type Group } from './registry.ts';

export const PROGRAM = 'a3s-box';

const DEFAULT_COLUMNS = 80;

/** `Usage:  a3s-box run [OPTIONS] IMAGE …`. */
export function usageLine(command: Command, path: string): string {
  return `Usage:  ${PROGRAM} ${path} ${command.usage}`;
}

/** @param columns width of the terminal, if there is one */
export function commandHelp(
  command: Command,
  name: Parameters<typeof spellings>[0],
  path: string,
  columns = DEFAULT_COLUMNS,
): string {
  const names = spellings(name).map((spelling) => `${PROGRAM} ${spelling}`);
  const parts = [usageLine(command, path), command.summary];
  if (names.length > 1) parts.push(`Aliases:\n  ${names.join(', ')}`);
  const options = flagUsages(command.flags, columns - 1);
  if (options !== '') parts.push(`Options:\n${options}`);
  const examples =
    command.examples?.map(([line, what]) => `  # ${what}\n  ${`${PROGRAM} ${path} ${line}`.trimEnd()}`) ?? [];
  if (examples.length > 0) parts.push(`Examples:\n${examples.join('\n\n')}`);
  return `${parts.join('\n\n')}\n`;
}

/** Help of a group such as `container`. */
export async function groupHelp(path: string, group: Group): Promise<string> {
  const rows = await Promise.all(
    Object.entries(group.commands).map(async ([word, name]) => [word, (await load(name)).summary] as const),
  );
  return `Usage:  ${PROGRAM} ${path} COMMAND

${group.summary}

Commands:
${listing(rows)}

Run '${PROGRAM} ${path} COMMAND --help' for more information on a command.
`;
}

/** Help of the program itself. */
export async function programHelp(): Promise<string> {
  const rows = await Promise.all(plain.map(async (name) => [name, (await load(name)).summary] as const));
  const managed = Object.entries(groups).map(([word, group]) => [word, group.summary] as const);
  return `Usage:  ${PROGRAM} [OPTIONS] COMMAND

Runs each container in a microVM of its own

Common Commands:
${listing(rows.slice(0, COMMON))}

Management Commands:
${listing(managed)}

Commands:
${listing(rows.slice(COMMON))}

Global Options:
      --config string   Location of client config files (default "$HOME/.docker")
  -D, --debug           Print the stack of an unexpected error
      --help            Print usage
  -v, --version         Print version information and quit

Run '${PROGRAM} COMMAND --help' for more information on a command.
`;
}

function listing(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([word, summary]) => `  ${word.padEnd(12)}${summary}`).join('\n');
}
