/** What commands make of a monitor's answers, and of their absence. */
import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';

import { killBox } from '../../../src/engine/kill.ts';
import { stopBox } from '../../../src/engine/stop.ts';
import type { Engine } from '../../../src/engine/types.ts';
import { objectOr } from '../../../src/json.ts';
import { attachBox, signalBox, stopBox as requestStop } from '../../../src/runtime/control-client.ts';
import { MessageType, encodeJsonMessage } from '../../../src/runtime/protocol/messages.ts';
import { updateBox } from '../../../src/state/box-updates.ts';
import { readBoxes } from '../../../src/state/boxes-file.ts';
import type { BoxRecord } from '../../../src/state/record.ts';
import { testEngine } from './fixture/engine.ts';
import { boxWithMonitor } from './fixture/monitor.ts';

afterEach(() => void vi.useRealTimers());

const attach = { output: true, stdin: false };

test.each([
  [-5, -1],
  [9_999_999_999, 2_147_483],
  [3, 3],
])('stop -t %d gives the box a grace of %d s', async (given, sent) => {
  const engine = testEngine();
  const requests: unknown[] = [];
  await boxWithMonitor(engine, (request, socket) => {
    requests.push(request);
    socket.end(encodeJsonMessage(MessageType.result, { exit_code: 0 }));
  });
  await stopBox(engine, 'd1', { signal: undefined, timeoutSeconds: given });
  expect(requests).toEqual([{ op: 'stop', signal: 15, timeoutSeconds: sent }]);
});

test.each([
  ['stop', true, (engine: Engine) => stopBox(engine, 'd1', { signal: undefined, timeoutSeconds: 1 })],
  ['kill', true, (engine: Engine) => killBox(engine, 'd1', 'KILL')],
  ['kill with its stop signal', true, (engine: Engine) => killBox(engine, 'd1', 'TERM')],
  ['kill with another signal', false, (engine: Engine) => killBox(engine, 'd1', 'USR1')],
])(
  'the record of a box says before %s is asked for that its user ends it: %s',
  async (_name, wanted, act) => {
    const engine = testEngine();
    const said: unknown[] = [];
    await boxWithMonitor(engine, (_request, socket) => {
      const { boxes } = objectOr(JSON.parse(readFileSync(engine.layout.boxesFile, 'utf8')));
      said.push(boxes);
      socket.end(encodeJsonMessage(MessageType.result, { exit_code: 0 }));
    });
    await act(engine);
    expect(said).toMatchObject([[{ status: 'running', stopped_by_user: wanted }]]);
  },
);

test('a box whose monitor hangs up has stopped once its record says so', async () => {
  const engine = testEngine();
  const box = await boxWithMonitor(engine, (_request, socket) => {
    socket.destroy();
    const stopped = { status: 'stopped', pid: null, pid_start: null, exit_code: 0 } as const;
    setTimeout(() => void updateBox(engine.layout, box.id, (record) => Object.assign(record, stopped)), 200);
  });
  await stopBox(engine, 'd1', { signal: undefined, timeoutSeconds: 1 });
  expect(await readBoxes(engine.layout)).toMatchObject([{ status: 'stopped' }]);
});

test.each([
  ['stop', 23_000, (box: BoxRecord) => requestStop(box, { signal: 15, timeoutSeconds: 3 })],
  ['kill', 20_000, (box: BoxRecord) => signalBox(box, 9)],
  ['signal', 30_000, (box: BoxRecord) => signalBox(box, 10)],
  ['attach', 30_000, (box: BoxRecord) => attachBox(box, attach)],
])('a monitor that never answers a %s is given up after %d ms', async (_name, limit, ask) => {
  const heard = Promise.withResolvers<void>();
  const box = await boxWithMonitor(testEngine(), () => heard.resolve());
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const settled = vi.fn<(error: unknown) => void>();
  const asking = ask(box).then(() => settled('answered'), settled);
  await heard.promise;
  await vi.advanceTimersByTimeAsync(limit - 1);
  expect(settled).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await asking;
  expect(settled).toHaveBeenCalledWith(
    expect.objectContaining({ code: 'timeout', hint: 'remove it with: a3s-box rm -f d1' }),
  );
});
