import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { coloursFrom } from '../../../../src/commands/builds/progress/colours.ts';
import { TerminalDisplay } from '../../../../src/commands/builds/progress/terminal.ts';
import type { BuildEvent } from '../../../../src/engine/build-types.ts';
import { FakeTerminal } from './fake-terminal.ts';

const START = Date.UTC(2026, 0, 1);

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});

afterEach(() => {
  vi.useRealTimers();
});

function open(columns: number, rows: number, env: NodeJS.ProcessEnv = { NO_COLOR: '1' }) {
  const terminal = new FakeTerminal(columns, rows);
  const colours = coloursFrom(env, () => {});
  const display = new TerminalDisplay(terminal, { builder: 'a3s-box', colours, logLines: 6 });
  return { terminal, display };
}

/** Events by milliseconds since the start; times and what is drawn go with them. */
function play(
  display: TerminalDisplay,
  events: readonly (readonly [at: number, event: Record<string, unknown>])[],
): void {
  for (const [at, event] of events) {
    vi.advanceTimersByTime(START + at - Date.now());
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- events of this file
    display.event({ time: START + at, ...event } as BuildEvent);
  }
}

const output = (id: number, text: string) => ({
  kind: 'output',
  id,
  stream: 'stdout',
  bytes: Buffer.from(text),
});

const BUILD = [
  [0, { kind: 'step', id: 1, name: '[internal] load build definition from Dockerfile' }],
  [0, { kind: 'started', id: 1 }],
  [10, { kind: 'progress', id: 1, label: 'transferring dockerfile:', current: 57, done: true }],
  [20, { kind: 'done', id: 1 }],
  [20, { kind: 'step', id: 2, name: '[1/3] FROM docker.io/a3s/base:latest' }],
  [20, { kind: 'started', id: 2 }],
  [20, { kind: 'cached', id: 2 }],
  [100, { kind: 'step', id: 3, name: '[2/3] RUN make all' }],
  [100, { kind: 'started', id: 3 }],
  [700, output(3, 'cc -c one.c\ncc -c two.c\n10%\r20%')],
] as const;

test('a step that runs shows its last lines, and they go when it is done', () => {
  const { terminal, display } = open(60, 24);
  play(display, BUILD);
  vi.advanceTimersByTime(400);
  expect(terminal.text).toBe(`[+] Building 1.1s (2/3)                             a3s-box
 => [internal] load build definition from Dockerfile   0.0s
 => => transferring dockerfile: 57B                    0.0s
 => CACHED [1/3] FROM docker.io/a3s/base:latest        0.0s
 => [2/3] RUN make all                                 0.9s
 => => # cc -c one.c
 => => # cc -c two.c
 => => # 20%
`);
  play(display, [
    [1500, { kind: 'done', id: 3 }],
    [1500, { kind: 'step', id: 4, name: 'exporting to image' }],
    [1500, { kind: 'started', id: 4 }],
    [
      1500,
      {
        kind: 'progress',
        id: 4,
        label: 'exporting layers',
        current: 1_500_000,
        total: 3_000_000,
        done: false,
      },
    ],
    [1900, { kind: 'progress', id: 4, label: 'exporting layers', current: 3_000_000, done: true }],
    [2000, { kind: 'done', id: 4 }],
  ]);
  display.end();
  expect(terminal.text).toBe(`[+] Building 2.0s (4/4) FINISHED                    a3s-box
 => [internal] load build definition from Dockerfile   0.0s
 => => transferring dockerfile: 57B                    0.0s
 => CACHED [1/3] FROM docker.io/a3s/base:latest        0.0s
 => [2/3] RUN make all                                 1.4s
 => exporting to image                                 0.5s
 => => exporting layers 3.00MB / 3.00MB                0.4s
`);
  expect(terminal.cursorShown).toBe(true);
});

test('times go on while nothing happens', () => {
  const { terminal, display } = open(60, 24);
  play(display, BUILD);
  vi.advanceTimersByTime(10_000);
  expect(terminal.text).toContain(' => [2/3] RUN make all                                10.6s\n');
  display.end();
});

describe.each([
  [120, 24],
  [80, 12],
  [40, 24],
  [30, 10],
  [20, 6],
  [10, 3],
])('%i columns and %i rows', (columns, rows) => {
  test('no line is wider than the terminal, and no frame higher', () => {
    const { terminal, display } = open(columns, rows);
    play(display, BUILD);
    for (let id = 5; id < 20; id++) {
      play(display, [
        [
          1000,
          { kind: 'step', id, name: `[stage-${id} 2/9] RUN 漢字 with a long command line, and more of it` },
        ],
        [1000, { kind: 'started', id }],
        [
          1000,
          output(
            id,
            'a line of output that is about as long as a line can be: 漢字漢字漢字漢字漢字漢字漢字\n',
          ),
        ],
      ]);
    }
    vi.advanceTimersByTime(1000);
    const lines = terminal.text.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(rows);
    expect(lines[0]).toMatch(/^\[\+\] Build/);
    expect(lines.slice(1).every((line) => line.startsWith(' => '))).toBe(true);
    for (let id = 5; id < 20; id++) play(display, [[3000, { kind: 'done', id }]]);
    play(display, [[3000, { kind: 'done', id: 3 }]]);
    display.end();
    // One picture is left: nothing of those before it stands above.
    expect(terminal.text.match(/\[\+\] Build/g)).toHaveLength(1);
  });
});

test.each([
  [80, 50],
  [50, 80],
  [80, 25],
])('a terminal that goes from %i to %i columns keeps one picture', (before, after) => {
  const { terminal, display } = open(before, 40);
  terminal.write('$ a3s-box build .\n');
  play(display, BUILD);
  vi.advanceTimersByTime(500);
  terminal.resize(after);
  vi.advanceTimersByTime(500);
  expect(terminal.text.match(/\[\+\] Build/g)).toHaveLength(1);
  expect(terminal.text.startsWith('$ a3s-box build .\n[+] Building 1.')).toBe(true);
  terminal.resize(before);
  play(display, [[2000, { kind: 'done', id: 3 }]]);
  display.end();
  expect(terminal.text.match(/\[\+\] Build/g)).toHaveLength(1);
  expect(terminal.text.startsWith('$ a3s-box build .\n[+] Building 1.9s (3/3) FINISHED')).toBe(false);
  expect(terminal.text).toContain('(3/3) FINISHED');
});

test('a step that fails shows all that it wrote, below', () => {
  const { terminal, display } = open(60, 24);
  play(display, BUILD);
  play(display, [
    [900, output(3, '\nerror: no\n')],
    [1000, { kind: 'step', id: 4, name: '[other 1/1] RUN sleep 9' }],
    [1000, { kind: 'started', id: 4 }],
    [1100, { kind: 'failed', id: 3, message: 'exit code: 2', cancelled: false }],
    [1100, { kind: 'failed', id: 4, message: 'CANCELED', cancelled: true }],
  ]);
  display.end();
  expect(terminal.text).toBe(
    `[+] Building 1.1s (4/4) FINISHED                    a3s-box
 => [internal] load build definition from Dockerfile   0.0s
 => => transferring dockerfile: 57B                    0.0s
 => CACHED [1/3] FROM docker.io/a3s/base:latest        0.0s
 => ERROR [2/3] RUN make all                           1.0s
 => CANCELED [other 1/1] RUN sleep 9                   0.1s
------
 > [2/3] RUN make all:
0.600 cc -c one.c
0.600 cc -c two.c
20%00 10%
0.800 error: no
------
`,
  );
});

test('a warning stands below the definition', () => {
  const { terminal, display } = open(60, 24);
  const warning = {
    rule: 'FromAsCasing',
    description: '',
    url: '',
    message: 'do not match',
    lines: [[1, 1]],
  };
  play(display, [...BUILD.slice(0, 2), [10, { kind: 'warning', warning }], [20, { kind: 'done', id: 1 }]]);
  display.end();
  expect(terminal.text).toContain(' => WARN: FromAsCasing: do not match (line 1)          0.0s\n');
});

describe('colours', () => {
  const failing = [...BUILD, [900, { kind: 'failed', id: 3, message: 'no', cancelled: false }]] as const;

  function written(env: NodeJS.ProcessEnv): string {
    const { terminal, display } = open(60, 24, env);
    play(display, failing);
    display.end();
    return terminal.written;
  }

  test('blue what is done, red what failed', () => {
    const text = written({});
    expect(text).toContain('\u001B[34m => CACHED [1/3]');
    expect(text).toContain('\u001B[31m => ERROR [2/3]');
  });

  test('none with NO_COLOR', () => {
    // oxlint-disable-next-line no-control-regex -- colours are control sequences
    expect(written({ NO_COLOR: '1' })).not.toMatch(/\u001B\[3\d/);
  });

  test('those of BUILDKIT_COLORS', () => {
    const text = written({ BUILDKIT_COLORS: 'run=123,20,245:error=light-yellow' });
    expect(text).toContain('\u001B[38;5;93m => CACHED [1/3]');
    expect(text).toContain('\u001B[93m => ERROR [2/3]');
  });

  test('what is wrong in BUILDKIT_COLORS is told and left out', () => {
    const lines: string[] = [];
    const colours = coloursFrom({ BUILDKIT_COLORS: 'run=mauve:walk=red:error=1,2:cancel=cyan' }, (line) =>
      lines.push(line),
    );
    expect(colours).toEqual({
      run: '\u001B[34m',
      cancel: '\u001B[36m',
      error: '\u001B[31m',
      warning: '\u001B[33m',
    });
    expect(lines).toEqual(
      ['run=mauve', 'walk=red', 'error=1,2'].map(
        (field) => `Could not parse BUILDKIT_COLORS component: ${field}`,
      ),
    );
  });
});
