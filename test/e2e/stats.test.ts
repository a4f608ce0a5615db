/** `stats` as it refreshes: on a terminal, and where its boxes come and go. */
import { afterEach, describe, expect, test } from 'vitest';

import { a3s, a3sOk, CliProcess, LAUNCHER } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { processesNaming } from './fixture/processes.ts';
import { recordOf } from './fixture/records.ts';
import { CTRL_C, Terminal } from './fixture/terminal.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('stats');
const LIVE = ['a3s/base', 'sleep', '1000'];
const HEAD = 'CONTAINER ID   NAME';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const terminals: Terminal[] = [];

afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.close();
});

/** The screens that were drawn, whole, each as its rows: from the top, clearing what is left of each row, then all below. */
function screens(text: string): string[][] {
  return text
    .split(HOME)
    .slice(1)
    .flatMap((screen) => {
      const [rows = '', ...rest] = screen.split(CLEAR_BELOW);
      return rest.length === 0 ? [] : [rows.split(`${CLEAR_LINE}\n`).slice(0, -1)];
    });
}

test('draws its table anew each second until Ctrl-C', async () => {
  const box = await boxes.detached('live', LIVE);
  const began = performance.now();
  const terminal = await Terminal.open(`'${LAUNCHER}' stats '${box}'`, { rows: 24, cols: 200 });
  terminals.push(terminal);
  await until('four screens', () => screens(terminal.screen).length >= 4);
  // Three waits of a second lie between them.
  expect(performance.now() - began).toBeGreaterThan(2900);
  terminal.type(CTRL_C);
  const end = await terminal.ended();
  expect(end.settings.after).toBe(end.settings.before);
  expect(end.status).toBe(130);
  for (const [head = '', row = '', ...more] of screens(end.screen)) {
    expect(head).toMatch(
      /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS *$/,
    );
    expect(row).toMatch(
      new RegExp(
        `^${recordOf(box).short_id} +${box} +\\d+\\.\\d\\d% +[\\d.]+[KM]iB / 512MiB +\\d+\\.\\d\\d% +\\S+ / \\S+ +\\S+ / \\S+ +1 *$`,
      ),
    );
    expect(more).toEqual([]);
  }
});

test('ends when the box that it names has ended, with nothing that it uses', async () => {
  const box = await boxes.detached('ends', LIVE);
  const stats = new CliProcess(['stats', '--format', '{{.Name}} {{.PIDs}}', box]);
  await stats.says(new RegExp(`${box} 1`));
  await a3sOk(['stop', '-t', '0', box]);
  const { status, out, err } = await stats.ended;
  expect([status, err]).toEqual([0, '']);
  expect(screens(out).at(-1)).toEqual([`${box} 0`]);
});

test('without names, boxes come and go', async () => {
  const stats = new CliProcess(['stats', '--format', 'table {{.Name}}']);
  try {
    await until('an empty table', () => screens(stats.out).at(-1)?.join('|').trimEnd() === 'NAME');
    const box = await boxes.detached('guest', LIVE);
    const shown = (): boolean =>
      screens(stats.out)
        .at(-1)
        ?.some((row) => row.trimEnd() === box) === true;
    await until('the box to be there', shown);
    await a3sOk(['rm', '-f', box]);
    await until('the box to be gone', () => !shown());
    expect(stats.err).toBe('');
  } finally {
    stats.child.kill('SIGINT');
  }
  expect(await stats.ended).toMatchObject({ status: null, signal: 'SIGINT' });
});

describe('a paused box', () => {
  const BUSY = ['a3s/base', 'sh', '-c', 'sleep 1000 & while :; do :; done'];
  const FORMAT = '{{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.NetIO}} {{.BlockIO}} {{.PIDs}} {{.HostCPUPerc}}';
  const figures = (box: string, format = FORMAT): Promise<string> =>
    a3sOk(['stats', '--no-stream', '--format', format, box]);

  test('uses what it used when it was paused, and no processor', async () => {
    const box = await boxes.detached('paused', BUSY);
    await a3sOk(['pause', box]);
    const paused = await figures(box);
    expect(paused).toMatch(
      /^0\.00% [\d.]+[KM]iB \/ 512MiB \d\.\d\d% [\d.]+k?B \/ [\d.]+k?B [\d.]+[kM]?B \/ [\d.]+[kM]?B 2 0\.00%$/,
    );
    expect(await figures(box)).toBe(paused);
    expect(await figures(box, '{{.HostMemUsage}}')).toMatch(/^[1-9][\d.]*MiB$/);
    await a3sOk(['unpause', box]);
    expect(Number.parseFloat(await figures(box, '{{.CPUPerc}}'))).toBeGreaterThan(20);
  });

  test('is paused though its agent hangs, and shows no figures then', async () => {
    const box = await boxes.detached('hangs', BUSY);
    const vm = processesNaming(recordOf(box).box_dir).find(({ role }) => role === 'vm');
    process.kill(vm?.pid ?? 0, 'SIGSTOP');
    await a3sOk(['pause', box]);
    expect(await figures(box)).toBe('-- -- / -- -- -- -- -- --');
    expect((await a3sOk(['stats', '--no-stream', box])).split('\n')[1]).toMatch(
      new RegExp(`^${recordOf(box).short_id} +${box} +-- +-- / -- +-- +-- +-- +--$`),
    );
  });
});

describe('--no-stream', () => {
  test('-a also shows what does not run; --no-trunc the whole ID', async () => {
    const idle = boxes.name('idle');
    await a3sOk(['create', '--name', idle, ...LIVE]);
    const { id, short_id } = recordOf(idle);
    const row = `${idle}   0.00%     0B / 0B             0.00%     0B / 0B   0B / 0B     0\n`;
    const all = await a3s(['stats', '--no-stream', '-a']);
    expect(all).toMatchObject({ status: 0, err: '' });
    expect(all.out.startsWith(HEAD)).toBe(true);
    expect(all.out).toContain(`\n${short_id}   ${row}`);
    expect((await a3sOk(['stats', '--no-stream', '-a', '--no-trunc'])).split('\n')[1]).toMatch(
      new RegExp(`^${id}   ${idle} `),
    );
    expect(await a3sOk(['stats', '--no-stream', '--format', '{{.Name}}'])).toBe('');
  });
});
