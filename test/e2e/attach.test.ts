/** `attach` on a terminal: its keys, its size, its signals, and several of them at once. */
import { afterEach, expect, test } from 'vitest';

import { a3sOk, LAUNCHER } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { recordOf } from './fixture/records.ts';
import { CTRL_C, DETACH, Terminal, type TerminalEnd } from './fixture/terminal.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('attach');
const terminals: Terminal[] = [];
/** Says what it reads, and each size that its terminal gets. */
const ECHO = 'trap "stty size" WINCH; echo ready; while :; do read -r line && echo "got $line"; done';
const COUNT = 'trap "echo int; exit 7" INT; i=0; while :; do i=$((i+1)); echo "line $i"; sleep 0.1; done';

async function attach(...words: string[]): Promise<Terminal> {
  const line = [LAUNCHER, 'attach', ...words].map((word) => `'${word}'`).join(' ');
  const terminal = await Terminal.open(line, { rows: 33, cols: 101 });
  terminals.push(terminal);
  return terminal;
}

/** Attached for sure: the box's terminal has got this one's size. Whoever joins sees only what comes from then on. */
async function joined(...words: string[]): Promise<Terminal> {
  const terminal = await attach(...words);
  await terminal.shows(/^33 101$/m);
  return terminal;
}

afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.close();
});

function expectLeft(end: TerminalEnd, status: number, box: string): void {
  expect(end.status).toBe(status);
  expect(end.settings.after).toBe(end.settings.before);
  expect(recordOf(box).status).toBe('running');
}

async function withTerminal(label: string): Promise<string> {
  const box = await boxes.detached(label, ['-it', 'a3s/base', 'sh', '-c', ECHO]);
  // Without its trap it would not hear of the first size.
  await until('its trap', async () => (await a3sOk(['logs', box])).includes('ready'));
  return box;
}

test('Ctrl-P Ctrl-Q leaves with "read escape sequence"; what was typed before reached the workload', async () => {
  const box = await withTerminal('detach');
  const terminal = await joined(box);
  terminal.type('hello\n');
  await terminal.shows(/^got hello$/m);
  terminal.type(DETACH);
  const end = await terminal.ended();
  expect(end.screen).toMatch(/read escape sequence\n$/);
  expectLeft(end, 1, box);
});

test('--detach-keys sets other keys, and Ctrl-P Ctrl-Q goes to the workload', async () => {
  const box = await withTerminal('keys');
  const terminal = await joined('--detach-keys', 'ctrl-a,x', box);
  terminal.type(`${DETACH}a\n`);
  // The box's terminal may keep Ctrl-Q to itself: it stands for going on.
  await terminal.shows(/^got .{1,2}a$/m);
  terminal.type('\u0001x');
  const end = await terminal.ended();
  expect(end.screen).toMatch(/read escape sequence\n$/);
  expectLeft(end, 1, box);
});

test('--detach-keys that are none are refused', async () => {
  const end = await (await attach('--detach-keys', 'ctrl-nope', 'nosuch')).ended();
  expect(end.screen).toContain("invalid detach keys (ctrl-nope): Unknown character: 'ctrl-nope'\n");
  expect(end.status).toBe(1);
});

test('the terminal of the box takes the size of this one, and every resize', async () => {
  const box = await withTerminal('size');
  const terminal = await joined(box);
  terminal.resize(50, 120);
  await terminal.shows(/^50 120$/m);
  terminal.resize(20, 40);
  await terminal.shows(/^20 40$/m);
  terminal.type(DETACH);
  expectLeft(await terminal.ended(), 1, box);
});

test('--no-stdin: no key reaches the workload, and Ctrl-C ends the command alone', async () => {
  const box = await withTerminal('deaf');
  const deaf = await joined('--no-stdin', box);
  const other = await joined(box);
  other.type('one\n');
  await deaf.shows(/^got one$/m);
  deaf.type('unheard\n');
  other.type('two\n');
  await deaf.shows(/^got two$/m);
  deaf.type(CTRL_C);
  expectLeft(await deaf.ended(), 130, box);
  expect(other.screen).not.toContain('unheard');
  other.type(DETACH);
  expectLeft(await other.ended(), 1, box);
});

test('several at once see the same, and each may type', async () => {
  const box = await withTerminal('several');
  const all = [await joined(box), await joined(box), await joined('--no-stdin', box)];
  const [first, second] = all;
  first?.type('from the first\n');
  await Promise.all(all.map((terminal) => terminal.shows(/^got from the first$/m)));
  second?.type('from the second\n');
  await Promise.all(all.map((terminal) => terminal.shows(/^got from the second$/m)));
  await a3sOk(['kill', box]);
  const ends = await Promise.all(all.map((terminal) => terminal.ended()));
  expect(ends.map(({ status }) => status)).toEqual([137, 137, 137]);
  for (const { settings } of ends) expect(settings.after).toBe(settings.before);
});

test('without a terminal in the box Ctrl-C goes to the workload, whose status is the command’s', async () => {
  const box = await boxes.detached('proxy', ['a3s/base', 'sh', '-c', COUNT]);
  const terminal = await attach(box);
  await terminal.shows(/^line \d+$/m);
  terminal.type(CTRL_C);
  const end = await terminal.ended();
  expect(end.screen).toMatch(/int\n$/);
  expect(end.status).toBe(7);
});

test('--sig-proxy=false: Ctrl-C ends the command alone', async () => {
  const box = await boxes.detached('noproxy', ['a3s/base', 'sh', '-c', COUNT]);
  const terminal = await attach('--sig-proxy=false', box);
  await terminal.shows(/^line \d+$/m);
  terminal.type(CTRL_C);
  expectLeft(await terminal.ended(), 130, box);
  expect(await a3sOk(['logs', box])).not.toContain('int');
});
