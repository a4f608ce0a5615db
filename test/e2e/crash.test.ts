import { beforeAll, describe, expect, test } from 'vitest';

import { randomSource } from '../unit/random.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { boxesOf } from './fixture/boxes.ts';
import { crash, crashes } from './fixture/crash.ts';
import { home } from './fixture/home.ts';
import { processesNaming, signalTo } from './fixture/processes.ts';
import { recordOf } from './fixture/records.ts';
import { warmTemplateHashes } from './fixture/warm-templates.ts';
import { until } from './fixture/until.ts';

const boxes = boxesOf('crash');

describe('kill -9 in the middle of run is repaired by the next command', () => {
  const series = crashes(randomSource(1), 30).map((each) => ({
    ...each,
    kept: each.rm ? 'with --rm' : 'kept',
  }));

  let struck = 0;
  let templates: Record<string, string>;
  beforeAll(async () => {
    templates = await warmTemplateHashes(home());
  });

  test.each(series)('of $victim after $delayMs ms, $kept', async (each) => {
    if (await crash(boxes.name(each.victim), each)) struck += 1;
  });

  test('costs no template: what was killed says nothing about it', async () => {
    expect(await warmTemplateHashes(home())).toEqual(templates);
  });

  test('most of the moments lay within the run', () => {
    expect(struck).toBeGreaterThan(20);
  });
});

describe('a box whose monitor or VM was killed while it ran', () => {
  test('has a VM that ends by itself when its monitor is gone, its files written', async () => {
    const name = await boxes.detached('alone', ['a3s/base', 'sleep', '1000']);
    await a3sOk(['exec', name, 'sh', '-c', 'echo kept > /kept']);
    const { box_dir } = recordOf(name);
    signalTo(recordOf(name).pid, 'SIGKILL');
    await until('the end of the VM', () => processesNaming(box_dir).length === 0);
    await a3sOk(['start', name]);
    expect(await a3sOk(['exec', name, 'cat', '/kept'])).toBe('kept');
  });

  test.each(['monitor', 'vm'] as const)('is dead, and can be started again: %s', async (victim) => {
    const name = await boxes.detached(victim, ['a3s/base', 'sleep', '1000']);
    await a3sOk(['exec', name, 'sh', '-c', 'echo kept > /kept; sync']);
    const { box_dir } = recordOf(name);
    const target = processesNaming(box_dir).find(({ role }) => role === victim);
    signalTo(target?.pid, 'SIGKILL');
    await until(
      'the state dead',
      async () => (await a3sOk(['inspect', '-f', '{{.State.Status}}', name])) === 'dead',
    );
    // A monitor that has written that down is on its last steps.
    await until('the end of its processes', () => processesNaming(box_dir).length === 0);
    expect(await a3sOk(['inspect', '-f', '{{.State.ExitCode}} {{.State.Pid}}', name])).toBe('137 0');
    expect((await a3s(['exec', name, 'true'])).status).toBe(1);
    await a3sOk(['start', name]);
    expect(await a3sOk(['exec', name, 'cat', '/kept'])).toBe('kept');
  });
});
