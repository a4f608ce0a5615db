/** The scripts of `completion` in the shells that they are for, with Tab pressed on a terminal. */
import { dirname } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../temporary.ts';
import { boxesOf } from './fixture/boxes.ts';
import { a3sOk, LAUNCHER } from './fixture/cli.ts';
import { Terminal } from './fixture/terminal.ts';

const boxes = boxesOf('completion');
const name = boxes.shared('unique');
const terminals: Terminal[] = [];

/** The shell without anybody's settings, and the line that teaches it. */
const SHELLS: Readonly<Record<string, { command: string; learn: string }>> = {
  bash: { command: 'bash --norc --noprofile -i', learn: 'source <(a3s-box completion bash)' },
  zsh: {
    command: 'zsh -f -i',
    learn: 'autoload -Uz compinit && compinit -u -D && source <(a3s-box completion zsh)',
  },
  fish: { command: 'fish --no-config -i', learn: 'a3s-box completion fish | source' },
};

beforeAll(async () => {
  await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
});
afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.close();
});

/** What Tab has made of a line is told by what the line does. */
describe.for(Object.entries(SHELLS))('%s', ([, { command, learn }]) => {
  async function shell(): Promise<Terminal> {
    const setting = `PATH='${dirname(LAUNCHER)}':"$PATH" HOME='${temporaryDirectory()}' TERM=xterm`;
    const terminal = await Terminal.open(`${setting} ${command}`, { rows: 40, cols: 200 });
    terminals.push(terminal);
    terminal.type(`${learn}\necho lear''ned\n`);
    await terminal.shows(/learned/);
    return terminal;
  }

  test('completes commands, and the names of boxes and images', { timeout: 90_000 }, async () => {
    const terminal = await shell();
    terminal.type(`a3s-box insp\t-f 'box {{.Name}}' ${name.slice(0, -3)}\t\n`);
    await terminal.shows(new RegExp(`box /${name}`));
    terminal.type(`a3s-box image inspect -f 'image {{len .RepoTags}}' a3s/ba\t\n`);
    await terminal.shows(/image 1/);
    terminal.type(`a3s-box image inspect --format='tag {{len .RepoTags}}' a3s/base:lat\t\n`);
    await terminal.shows(/tag 1/);
    terminal.type('exit 0\n');
    expect((await terminal.ended()).status).toBe(0);
  });

  test('completes a file where no name of ours can stand', async () => {
    const terminal = await shell();
    terminal.type('cd; echo a b >only-file\n');
    terminal.type('a3s-box create --env-file only-f\t a3s/base\n');
    await terminal.shows(/invalid env file \(only-file\): variable 'a b' contains whitespaces/);
    terminal.type('exit 0\n');
    expect((await terminal.ended()).status).toBe(0);
  });
});
