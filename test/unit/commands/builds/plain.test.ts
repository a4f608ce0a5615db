import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { PlainDisplay } from '../../../../src/commands/builds/progress/plain.ts';
import type { BuildEvent } from '../../../../src/engine/build-types.ts';
import { FakeTarget } from './fake-target.ts';

const START = Date.UTC(2026, 0, 1);

let target: FakeTarget;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  target = new FakeTarget();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Events by milliseconds since the start; the clock goes with them. */
function play(display: PlainDisplay, events: readonly (readonly [at: number, event: BuildEvent])[]): void {
  for (const [at, event] of events) {
    vi.advanceTimersByTime(START + at - Date.now());
    display.event(event);
  }
}

const step = (id: number, name: string): BuildEvent => ({ kind: 'step', id, name });
const started = (id: number, at: number): BuildEvent => ({ kind: 'started', id, time: START + at });
const done = (id: number, at: number): BuildEvent => ({ kind: 'done', id, time: START + at });
const output = (
  id: number,
  at: number,
  text: string,
  stream: 'stdout' | 'stderr' = 'stdout',
): BuildEvent => ({
  kind: 'output',
  id,
  stream,
  bytes: Buffer.from(text),
  time: START + at,
});
const line = (id: number, at: number, label: string, more: object): BuildEvent => ({
  kind: 'progress',
  id,
  label,
  done: false,
  time: START + at,
  ...more,
});
const failed = (id: number, at: number, message: string, cancelled = false): BuildEvent => ({
  kind: 'failed',
  id,
  time: START + at,
  message,
  cancelled,
});

test('a build of a few steps', () => {
  const display = new PlainDisplay(target, 'building with "default" instance using a3s-box driver');
  play(display, [
    [0, step(1, '[internal] load build definition from Dockerfile')],
    [0, started(1, 0)],
    [5, line(1, 5, 'transferring dockerfile:', { current: 57, done: true })],
    [
      6,
      {
        kind: 'warning',
        warning: {
          rule: 'FromAsCasing',
          description: '',
          url: '',
          message: "'as' and 'FROM' keywords' casing do not match",
          lines: [[1, 1]],
        },
      },
    ],
    [7, done(1, 7)],
    [10, step(2, '[1/3] FROM docker.io/a3s/base')],
    [10, { kind: 'cached', id: 2 }],
    [20, step(3, '[2/3] RUN echo hi')],
    [20, started(3, 20)],
    [143, output(3, 143, 'hi\n')],
    [150, output(3, 150, 'oops\n', 'stderr')],
    [1000, done(3, 1000)],
    [1000, step(4, 'exporting to image')],
    [1000, started(4, 1000)],
    [1000, line(4, 1000, 'exporting layers', {})],
    [1200, line(4, 1200, 'exporting layers', { done: true })],
    [1300, done(4, 1300)],
  ]);
  display.end();
  expect(target.taken()).toBe(`#0 building with "default" instance using a3s-box driver

#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 57B done
#1 WARN: FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)
#1 DONE 0.0s

#2 [1/3] FROM docker.io/a3s/base
#2 CACHED

#3 [2/3] RUN echo hi
#3 0.123 hi
#3 0.130 oops
#3 DONE 1.0s

#4 exporting to image
#4 exporting layers
#4 exporting layers 0.2s done
#4 DONE 0.3s
`);
});

test('a step that fails shows its last ten lines again, and those given up do not', () => {
  const display = new PlainDisplay(target, '');
  const lines = Array.from({ length: 12 }, (_, index) => `line ${index + 1}\n`).join('');
  play(display, [
    [0, step(1, '[a 1/1] RUN false')],
    [0, started(1, 0)],
    [0, step(2, '[b 1/1] RUN sleep 9')],
    [0, started(2, 0)],
    [50, output(1, 50, lines)],
    [200, failed(1, 200, 'process "/bin/sh -c false" did not complete successfully: exit code: 1')],
    [200, failed(2, 200, 'process "/bin/sh -c sleep 9": context canceled', true)],
  ]);
  display.end();
  const shown = Array.from({ length: 12 }, (_, index) => `#1 0.050 line ${index + 1}\n`).join('');
  const again = Array.from({ length: 10 }, (_, index) => `0.050 line ${index + 3}\n`).join('');
  expect(target.taken()).toBe(`#1 [a 1/1] RUN false
${shown}#1 ERROR: process "/bin/sh -c false" did not complete successfully: exit code: 1

#2 [b 1/1] RUN sleep 9
#2 CANCELED
------
 > [a 1/1] RUN false:
${again}------
`);
});

test('a step is left for one that has ended, and comes back with its head', () => {
  const display = new PlainDisplay(target, '');
  play(display, [
    [0, step(1, '[a] RUN make')],
    [0, started(1, 0)],
    [0, step(2, '[b] RUN true')],
    [0, started(2, 0)],
    [120, output(1, 120, 'one\ntw')],
    [240, done(2, 240)],
    [360, output(1, 360, 'o\n')],
    [480, done(1, 480)],
  ]);
  display.end();
  expect(target.taken()).toBe(`#1 [a] RUN make
#1 0.120 one
#1 0.120 tw
#1 ...

#2 [b] RUN true
#2 DONE 0.2s

#1 [a] RUN make
#1 0.120 two
#1 DONE 0.5s
`);
});

test('a line that is not complete is shown before it is', () => {
  const display = new PlainDisplay(target, '');
  play(display, [
    [0, step(1, 'RUN ask')],
    [0, started(1, 0)],
    [150, output(1, 150, 'name? ')],
  ]);
  expect(target.taken()).toBe('#1 RUN ask\n#1 0.150 name? ');
  play(display, [[400, output(1, 400, 'me\n')]]);
  expect(target.taken()).toBe('me\n');
  play(display, [
    [700, output(1, 700, 'bye')],
    [900, done(1, 900)],
  ]);
  display.end();
  expect(target.taken()).toBe('#1 0.700 bye\n#1 DONE 0.9s\n');
});

test('a build that ends in the middle of a line ends it', () => {
  const display = new PlainDisplay(target, '');
  play(display, [
    [0, step(1, 'RUN ask')],
    [0, started(1, 0)],
    [150, output(1, 150, 'name? ')],
  ]);
  display.end();
  expect(target.taken()).toBe('#1 RUN ask\n#1 0.150 name? \n');
});

test('bytes are told again when they have got a twentieth further, or after five seconds', () => {
  const display = new PlainDisplay(target, '');
  const at = (time: number, current: number, done = false): readonly [number, BuildEvent] => [
    time,
    line(1, time, 'transferring context:', { current, total: 10_000_000, done }),
  ];
  play(display, [
    [0, step(1, '[internal] load build context')],
    [0, started(1, 0)],
    at(1000, 1_000_000),
    at(2000, 1_100_000),
    at(3000, 1_600_000),
    at(9000, 1_700_000),
    at(9500, 10_000_000, true),
    [9500, done(1, 9500)],
  ]);
  display.end();
  expect(target.taken()).toBe(`#1 [internal] load build context
#1 transferring context: 1.00MB / 10.00MB
#1 transferring context: 1.60MB / 10.00MB 2.0s
#1 transferring context: 1.70MB / 10.00MB 8.0s
#1 transferring context: 10.00MB / 10.00MB 8.5s done
#1 DONE 9.5s
`);
});

test('of steps that run at once none waits for more than ten seconds', () => {
  const display = new PlainDisplay(target, '');
  play(display, [
    [0, step(1, '[a] RUN make')],
    [0, started(1, 0)],
    [0, step(2, '[b] RUN make')],
    [0, started(2, 0)],
    [100, output(2, 100, 'of b\n')],
  ]);
  for (let at = 200; at < 12_000; at += 200) play(display, [[at, output(1, at, '.\n')]]);
  play(display, [[12_000, output(2, 12_000, 'more of b\n')]]);
  const text = target.taken();
  expect(text).toContain('#1 ...\n\n#2 [b] RUN make\n#2 0.100 of b\n');
});

test('names steer no terminal, nor do warnings, lines and failures', () => {
  const display = new PlainDisplay(target, '');
  const warning = { rule: 'R', description: '', url: '', message: 'of \u001B[2J', lines: [] };
  play(display, [
    [0, step(1, '[internal] load build definition from \u001B[2J\tx')],
    [0, started(1, 0)],
    [1, { kind: 'warning', warning }],
    [1, line(1, 1, 'read \u001B[2J', { done: true })],
    [1, failed(1, 1, 'no \u001B[2J\n#2 DONE')],
  ]);
  display.end();
  expect(target.taken()).toContain(
    [
      '#1 [internal] load build definition from \\x1b[2J x',
      '#1 read \\x1b[2J done',
      '#1 WARN: R: of \\x1b[2J',
      '#1 ERROR: no \\x1b[2J\\n#2 DONE',
      '',
    ].join('\n'),
  );
});
