import { expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { recordOf } from './fixture/records.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('health');

interface Health {
  Status: string;
  FailingStreak: number;
  Log: { Start: string; End: string; ExitCode: number; Output: string }[];
}

const run = (label: string, command: string, ...flags: string[]): Promise<string> =>
  boxes.detached(label, [
    '--health-cmd',
    command,
    '--health-interval',
    '200ms',
    ...flags,
    'a3s/base',
    'sh',
    '-c',
    'while :; do sleep 1; done',
  ]);

async function healthOf(name: string): Promise<Health> {
  return JSON.parse(await a3sOk(['inspect', '-f', '{{json .State.Health}}', name]));
}

const status = (name: string): Promise<string> =>
  a3sOk(['ps', '-a', '--filter', `name=${name}`, '--format', '{{.Status}}']);

const becomes = (name: string, health: string): Promise<boolean> =>
  until(`${name} ${health}`, () => recordOf(name).health === health);

test('a box is starting, then healthy; the results are there', async () => {
  // Whatever time passes until somebody looks, it is not unhealthy.
  const name = await run('good', 'echo fine; echo really >&2; test -f /ok', '--health-retries', '1000');
  expect(await status(name)).toMatch(/^Up .* \(health: starting\)$/);
  await a3sOk(['exec', name, 'touch', '/ok']);
  await becomes(name, 'healthy');
  expect(await status(name)).toMatch(/^Up .* \(healthy\)$/);
  await until('five results', async () => (await healthOf(name)).Log.length === 5);
  const health = await healthOf(name);
  expect(health).toMatchObject({ Status: 'healthy', FailingStreak: 0 });
  const [last] = health.Log.slice(-1);
  expect(last).toMatchObject({ ExitCode: 0, Output: 'fine\nreally\n' });
  expect(last?.Start).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  expect(Date.parse(last?.End ?? '')).toBeGreaterThanOrEqual(Date.parse(last?.Start ?? ''));
});

test('a box is unhealthy after so many failures, and healthy after one success', async () => {
  const name = await run('flap', 'test -f /ok', '--health-retries', '2');
  await becomes(name, 'unhealthy');
  expect(await status(name)).toMatch(/^Up .* \(unhealthy\)$/);
  const { FailingStreak, Log } = await healthOf(name);
  expect(FailingStreak).toBeGreaterThanOrEqual(2);
  expect(Log.at(-1)).toMatchObject({ ExitCode: 1, Output: '' });
  await a3sOk(['exec', name, 'touch', '/ok']);
  await becomes(name, 'healthy');
  await a3sOk(['exec', name, 'rm', '/ok']);
  await becomes(name, 'unhealthy');
  // As Docker says it of a box whose checks have ended.
  await a3sOk(['stop', '-t', '0', name]);
  expect(await healthOf(name)).toMatchObject({ Status: 'unhealthy' });
  const words = ['events', '--since', '10m', '--until', '0s', '-f', `container=${name}`];
  const told = await a3s([...words, '-f', 'event=health_status', '--format', '{{.Action}}']);
  expect(told).toMatchObject({
    status: 0,
    out: ['unhealthy', 'healthy', 'unhealthy'].map((each) => `health_status: ${each}\n`).join(''),
    err: '',
  });
  expect(await status(name)).toMatch(/^Exited \(137\) /);
});

test('a check that takes too long is killed and counts as a failure', async () => {
  const flags = ['--health-timeout', '3s', '--health-retries', '1'];
  const check = 'sleep 1000 & echo $! >>/sleepers; echo waiting; wait';
  const name = await run('slow', check, ...flags);
  await becomes(name, 'unhealthy');
  const { Log } = await healthOf(name);
  expect(Log[0]).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (3s): waiting\n' });
  const first = await a3sOk(['exec', name, 'head', '-n', '1', '/sleepers']);
  expect(first).toMatch(/^\d+$/);
  // What it started went with it.
  await until('the end of the killed check', async () => {
    return (await a3s(['exec', name, 'grep', '-qsa', 'sleep', `/proc/${first}/cmdline`])).status !== 0;
  });
});

test('failures in the start period do not count; checks come at its own interval', async () => {
  const flags = ['--health-retries', '1', '--health-start-period', '10s', '--health-start-interval', '100ms'];
  const name = await run('patient', 'false', ...flags, '--health-interval', '3s');
  await until('five failures', async () => (await healthOf(name)).Log.length === 5);
  const early = await healthOf(name);
  const began = Date.parse(recordOf(name).started_at ?? '');
  // Five checks three seconds apart would take fifteen.
  expect(Date.parse(early.Log[4]?.End ?? '') - began).toBeLessThan(10_000);
  expect(early).toMatchObject({ Status: 'starting', FailingStreak: 0 });
  expect(early.Log.map(({ ExitCode }) => ExitCode)).toEqual([1, 1, 1, 1, 1]);
  await becomes(name, 'unhealthy');
  const { FailingStreak, Log } = await healthOf(name);
  expect(FailingStreak).toBe(1);
  expect(Date.parse(Log.at(-1)?.Start ?? '') - began).toBeGreaterThanOrEqual(10_000);
});

test('a check that prints a megabyte costs 4096 bytes', async () => {
  const name = await run('loud', "head -c 1000000 /dev/zero | tr '\\0' x");
  await becomes(name, 'healthy');
  const { Log } = await healthOf(name);
  expect(Log[0]).toMatchObject({ ExitCode: 0, Output: `${'x'.repeat(4096)}...` });
});

test('a check that cannot be started is a failure that says why', async () => {
  const name = boxes.name('nosh');
  const flags = ['--health-cmd', 'x', '--health-interval', '200ms', '--health-retries', '1'];
  await a3sOk([
    'run',
    '-d',
    '--name',
    name,
    ...flags,
    'a3s/base',
    'sh',
    '-c',
    'rm -f /bin/sh; exec sleep 1000',
  ]);
  await becomes(name, 'unhealthy');
  expect((await healthOf(name)).Log.at(-1)?.Output).toContain('/bin/sh');
});

test('checks begin anew with each start', async () => {
  const name = await run('anew', 'test -f /ok', '--health-retries', '1');
  await becomes(name, 'unhealthy');
  await a3sOk(['exec', name, 'touch', '/ok']);
  await a3sOk(['restart', '-t', '0', name]);
  await becomes(name, 'healthy');
  expect((await healthOf(name)).Log.every(({ ExitCode }) => ExitCode === 0)).toBe(true);
});

test('a paused box is not checked', async () => {
  const name = await run('paused', 'true');
  await becomes(name, 'healthy');
  await a3sOk(['pause', name]);
  const before = (await healthOf(name)).Log.at(-1)?.End;
  // What is under way as the box is paused does not count either.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect((await healthOf(name)).Log.at(-1)?.End).toBe(before);
  await a3sOk(['unpause', name]);
  await until('another check', async () => (await healthOf(name)).Log.at(-1)?.End !== before);
  expect(await healthOf(name)).toMatchObject({ Status: 'healthy', FailingStreak: 0 });
});

test('without a check, and with --no-healthcheck, there is no health', async () => {
  const name = await boxes.detached('none', ['--no-healthcheck', 'a3s/base', 'sleep', '1000']);
  const format = '{{json .Config.Healthcheck}} {{if .State.Health}}some{{else}}none{{end}}';
  expect(await a3sOk(['inspect', '-f', format, name])).toBe('{"Test":["NONE"]} none');
  expect(await status(name)).not.toContain('health');
});

test('a conflict of flags is refused', async () => {
  const flags = ['--no-healthcheck', '--health-cmd', 'x'];
  expect(await a3s(['run', ...flags, 'a3s/base', 'true'])).toMatchObject({
    status: 125,
    out: '',
    err: "a3s-box: --no-healthcheck conflicts with --health-* options\n\nRun 'a3s-box run --help' for more information\n",
  });
});
