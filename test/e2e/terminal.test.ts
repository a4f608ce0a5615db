import { afterEach, beforeAll, describe, expect, test } from 'vitest';

import { a3sOk, LAUNCHER } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { processesNaming } from './fixture/processes.ts';
import { recordOf } from './fixture/records.ts';
import { CTRL_C, CTRL_D, DETACH, Terminal, type TerminalEnd } from './fixture/terminal.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('tty');
const SIZE = { rows: 33, cols: 101 };
const terminals: Terminal[] = [];

/** Runs `a3s-box` with these words in a terminal; single quotes must not occur in them. */
async function inTerminal(...words: string[]): Promise<Terminal> {
  const terminal = await Terminal.open([LAUNCHER, ...words].map((word) => `'${word}'`).join(' '), SIZE);
  terminals.push(terminal);
  return terminal;
}

afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.close();
});

function expectRestored(end: TerminalEnd): void {
  expect(end.settings.after).toBe(end.settings.before);
}

/** The command itself: the process in the terminal whose arguments hold `word`. */
async function commandPid(word: string): Promise<number> {
  const found = await until(`the process of ${word}`, () =>
    processesNaming(word).find(({ command }) => /\/dist\/cli\.cjs /.test(command)),
  );
  return found.pid;
}

describe('run -it', () => {
  test('gives the workload a terminal of the same size, and hands on every resize', async () => {
    const script = 'tty; stty size; trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done';
    const terminal = await inTerminal(
      'run',
      '--rm',
      '-it',
      '--name',
      boxes.name('it'),
      '--init',
      'a3s/base',
      'sh',
      '-c',
      script,
    );
    await terminal.shows(/ready/);
    expect(terminal.screen).toMatch(/^\/dev\/(pts\/\d+|console)\n33 101\nready\n/);
    terminal.resize(50, 120);
    await terminal.shows(/^50 120$/m);
    terminal.resize(20, 40);
    await terminal.shows(/^20 40$/m);
    terminal.type(CTRL_C);
    const end = await terminal.ended();
    expect(end.status).toBe(130);
    expectRestored(end);
  });

  test('is an interactive shell: echo, editing, job control, Ctrl-C, Ctrl-D', async () => {
    const terminal = await inTerminal(
      'run',
      '--rm',
      '-it',
      '--name',
      boxes.name('it'),
      '--hostname',
      'deck',
      'a3s/base',
    );
    await terminal.shows(/# $/);
    terminal.type('echo $((6*7)) $TERM\n');
    await terminal.shows(/^42 xterm$/m);
    // One job says that it is in the foreground: a Ctrl-C between two commands of the shell itself would wait for the second.
    terminal.type("sh -c 'echo $((40+4)); sleep 1000'\n");
    await terminal.shows(/^44$/m);
    terminal.type(CTRL_C);
    // The interrupt throws away what was typed with it.
    await terminal.shows(/\^C\s+\/ # $/);
    terminal.type('echo status $?\n');
    await terminal.shows(/^status 130$/m);
    terminal.type('(exit 9)\n');
    // What is typed while a command runs is read by another rule.
    await terminal.shows(/\(exit 9\)\s+\/ # $/);
    terminal.type(CTRL_D);
    const end = await terminal.ended();
    expect(end.status).toBe(9);
    expectRestored(end);
  });

  test('Ctrl-P Ctrl-Q detaches: the box goes on and the terminal is as before', async () => {
    const name = boxes.name('detach');
    const terminal = await inTerminal('run', '-it', '--name', name, 'a3s/base', 'sh');
    await terminal.shows(/# $/);
    terminal.type('echo before $((1+1))\n');
    await terminal.shows(/^before 2$/m);
    terminal.type(DETACH);
    const end = await terminal.ended();
    expect(end.status).toBe(0);
    expectRestored(end);
    expect(recordOf(name).status).toBe('running');
    expect(await a3sOk(['exec', name, 'echo', 'on'])).toBe('on');
  });

  test('a single Ctrl-P goes to the workload', async () => {
    const terminal = await inTerminal(
      'run',
      '--rm',
      '-it',
      '--name',
      boxes.name('it'),
      'a3s/base',
      'sh',
      '-c',
      'stty raw; echo ready; head -c 2 | od -c',
    );
    await terminal.shows(/ready/);
    terminal.type('\u0010x');
    await terminal.shows(/020\s+x/);
    expectRestored(await terminal.ended());
  });

  test('puts the terminal back when the workload cannot be started', async () => {
    const terminal = await inTerminal('run', '--rm', '-it', '--name', boxes.name('it'), 'a3s/base', 'nosuch');
    const end = await terminal.ended();
    expect(end.status).toBe(127);
    expect(end.screen).toContain('exec: "nosuch": executable file not found in $PATH');
    expectRestored(end);
  });

  test('passes SIGTERM on, and puts the terminal back', async () => {
    const name = boxes.name('term');
    const script = 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done';
    const terminal = await inTerminal('run', '-it', '--name', name, 'a3s/base', 'sh', '-c', script);
    await terminal.shows(/ready/);
    process.kill(await commandPid(name), 'SIGTERM');
    const end = await terminal.ended();
    expect(end.status).toBe(5);
    expectRestored(end);
  });

  test('ends at the third SIGTERM that the workload ignores, and puts the terminal back', async () => {
    const name = boxes.name('deaf');
    const script = 'trap "echo deaf" TERM; echo ready; while :; do sleep 0.1; done';
    const terminal = await inTerminal('run', '-it', '--name', name, 'a3s/base', 'sh', '-c', script);
    await terminal.shows(/ready/);
    const pid = await commandPid(name);
    process.kill(pid, 'SIGTERM');
    await terminal.shows(/(deaf\s+){1}/);
    process.kill(pid, 'SIGTERM');
    await terminal.shows(/(deaf\s+){2}/);
    process.kill(pid, 'SIGTERM');
    const end = await terminal.ended();
    expect(end.status).toBe(1);
    expect(end.screen).toContain('got 3 SIGTERM/SIGINTs, forcefully exiting');
    expectRestored(end);
    expect(recordOf(name).status).toBe('running');
  });

  test('without a terminal on stdin is refused', async () => {
    const terminal = await Terminal.open(`'${LAUNCHER}' run --rm -it a3s/base true < /dev/null`, SIZE);
    terminals.push(terminal);
    const end = await terminal.ended();
    expect(end.screen).toBe('the input device is not a TTY\n');
    expect(end.status).toBe(1);
  });
});

describe('exec -it', () => {
  const box = boxes.shared('box');
  beforeAll(async () => {
    await a3sOk(['run', '-d', '--name', box, 'a3s/base', 'sleep', '10000']);
  });

  test('gives the command a terminal of the same size, and hands on every resize', async () => {
    const terminal = await inTerminal('exec', '-it', box, 'sh');
    await terminal.shows(/# $/);
    terminal.type('stty size; tty\n');
    await terminal.shows(/^33 101\n\/dev\/pts\/\d+$/m);
    terminal.resize(44, 88);
    terminal.type('until stty size | grep "44 88"; do sleep 0.1; done\n');
    await terminal.shows(/^44 88$/m);
    terminal.type('exit 3\n');
    const end = await terminal.ended();
    expect(end.status).toBe(3);
    expectRestored(end);
  });

  test('Ctrl-C interrupts the command', async () => {
    const terminal = await inTerminal('exec', '-it', box, 'sh', '-c', 'echo ready; exec sleep 1000');
    await terminal.shows(/ready/);
    terminal.type(CTRL_C);
    const end = await terminal.ended();
    expect(end.status).toBe(130);
    expectRestored(end);
  });

  test('Ctrl-P Ctrl-Q leaves with "read escape sequence"', async () => {
    const terminal = await inTerminal('exec', '-it', box, 'sh', '-c', 'echo ready; exec sleep 1000');
    await terminal.shows(/ready/);
    terminal.type(DETACH);
    const end = await terminal.ended();
    expect(end.status).toBe(1);
    expect(end.screen).toContain('read escape sequence\n');
    expectRestored(end);
  });

  test('--detach-keys sets other keys', async () => {
    const terminal = await inTerminal(
      'exec',
      '-it',
      '--detach-keys',
      'ctrl-a,d',
      box,
      'sh',
      '-c',
      'echo ready; cat',
    );
    await terminal.shows(/ready/);
    terminal.type('\u0001d');
    const end = await terminal.ended();
    expect(end.status).toBe(1);
    expectRestored(end);
  });
});

describe('start -ai', () => {
  test('joins a box with a terminal; SIGTERM leaves it running and puts the terminal back', async () => {
    const name = boxes.name('start');
    await a3sOk(['create', '-it', '--name', name, 'a3s/base', 'sh']);
    const terminal = await inTerminal('start', '-ai', name);
    await terminal.shows(/# $/);
    terminal.type('stty size\n');
    await terminal.shows(/^33 101$/m);
    process.kill(await commandPid(name), 'SIGTERM');
    const end = await terminal.ended();
    expect(end.status).toBe(143);
    expectRestored(end);
    expect(recordOf(name).status).toBe('running');
  });
});
