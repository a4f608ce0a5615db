import { readdirSync } from 'node:fs';
import { Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';

import type { StageVm } from '../../src/build/stage/types.ts';
import { processesNaming } from '../e2e/fixture/processes.ts';
import { layerOf, openStage, run, shell, stageLayout } from './fixture/stage.ts';

/** A stage whose guest behaves so. */
function hostileStage(behaviour: string): Promise<StageVm> {
  const env = { A3S_TEST_GUEST: behaviour, A3S_TEST_NODE: process.execPath };
  Object.assign(process.env, env);
  onTestFinished(() => {
    for (const name of Object.keys(env)) delete process.env[name];
  });
  return openStage();
}

function nothingLeft(): void {
  expect(readdirSync(stageLayout().buildsDir)).toEqual([]);
  expect(processesNaming(stageLayout().buildsDir)).toEqual([]);
}

test('a stage that cannot begin says why, in words fit for a terminal, and leaves nothing', async () => {
  await expect(hostileStage('stage-no-begin')).rejects.toMatchObject({
    code: 'boot_failed',
    stage: 'mount',
    message: expect.stringMatching(/^the guest cannot mount the image: mount [ -~]*root$/),
  });
  nothingLeft();
});

test.each([
  ['stage-layer-no-tar', 'the VM sent an unsound layer: it is no sound tar archive'],
  ['stage-layer-cut', 'the VM sent an unsound layer: it ends in the middle of an entry'],
  ['stage-layer-escapes', 'the VM sent an unsound layer: it has an entry at "a/../../etc/passwd"'],
])('%s: %s', async (behaviour, message) => {
  const vm = await hostileStage(behaviour);
  expect(await run(vm, shell('true'))).toMatchObject({ exitCode: 0 });
  const sink = new Writable({ write: (_piece, _encoding, done) => done() });
  await expect(vm.layer(sink, { maxMtime: null })).rejects.toMatchObject({ code: 'guest_protocol', message });
  await vm.close();
  nothingLeft();
});

test('the words of a guest that cannot give its layer are shown without control characters', async () => {
  const vm = await hostileStage('stage-layer-fails');
  await run(vm, shell('true'));
  await expect(layerOf(vm)).rejects.toMatchObject({
    code: 'io',
    message: expect.stringMatching(/^cannot read[ -~]*it$/),
  });
});

test.each([
  ['stage-step-reset', 'stream 3 was reset by the guest'],
  ['stage-step-breaks-window', 'the VM of the stage was lost: stream 3 overran its window'],
  ['stage-step-dies', 'the VM of the stage was lost: the guest channel closed (QEMU: qemu: guest has gone)'],
])('%s: %s', async (behaviour, message) => {
  const vm = await hostileStage(behaviour);
  await expect(run(vm, shell('true'))).rejects.toMatchObject({ code: 'guest_protocol', message });
  await expect(vm.discard()).rejects.toMatchObject({ code: 'guest_protocol' });
  await vm.close();
  nothingLeft();
});
