/** The examples of help are command lines that the parser takes. */
import { describe, expect, test } from 'vitest';

import { renderCountError } from '../../../src/commands/failure.ts';
import { parseFlags } from '../../../src/commands/flags/parse.ts';
import { commandHelp } from '../../../src/commands/help.ts';
import { groups, load, plain, spellings } from '../../../src/commands/registry.ts';

const names = [
  ...new Set([...plain, ...Object.values(groups).flatMap(({ commands }) => Object.values(commands))]),
];

/** Words as a shell makes them, without what it does itself: quotes go, a redirection ends them. */
function shellWords(line: string): string[] {
  const words: string[] = line.match(/(?:'[^']*'|"(?:\\.|[^"])*"|\\.|[^\s'"\\])+/g) ?? [];
  const end = words.indexOf('>');
  return words.slice(0, end === -1 ? undefined : end).map((word) => word.replaceAll(/['"]/g, ''));
}

describe.each(names)('%s', (name) => {
  test('has examples, each of them sound and each told of', async () => {
    const command = await load(name);
    const examples = command.examples ?? [];
    expect(examples).not.toEqual([]);
    const [path = ''] = spellings(name);
    const help = commandHelp(command, name, path);
    for (const [line, what] of examples) {
      const { operands } = parseFlags(command.flags, shellWords(line), {
        interspersed: command.stopAtOperand !== true,
      });
      expect(renderCountError(operands.length, command.args, '', path), line).toBeUndefined();
      expect(help).toContain(`  # ${what}\n  ${`a3s-box ${path} ${line}`.trimEnd()}\n`);
      expect(what).toMatch(/^[A-Z][^\n]*[^.]$/);
    }
  });
});
