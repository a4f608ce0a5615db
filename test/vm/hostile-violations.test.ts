import { beforeAll, describe, expect, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { a3s, a3sOk } from '../e2e/fixture/cli.ts';
import { processesNaming } from '../e2e/fixture/processes.ts';
import { readBoxesFile, recordOf } from '../e2e/fixture/records.ts';
import { until } from '../e2e/fixture/until.ts';
import { CREATE_FAILED } from '../../src/runtime/start-failure.ts';
import { hostileGuest, killGuest } from './fixture/hostile.ts';

const boxes = boxesOf('violation');
const neighbour = boxes.shared('neighbour');

const runHostile = (behaviour: string, name: string) =>
  a3s(['run', '--name', name, 'a3s/base', 'true'], hostileGuest(behaviour).options);

beforeAll(async () => {
  await a3sOk(['run', '-d', '--name', neighbour, 'a3s/base', 'sleep', '10000']);
});

describe('a guest that breaks the protocol ends its own box, dead and with the reason', () => {
  test.each([
    ['frame-beyond-window', 'stream 1 overran its window'],
    ['frame-of-4-gib', 'frame beyond any window'],
    ['frame-type', 'unknown frame type 9'],
    ['frame-version', 'unknown frame version 1'],
    ['frame-flags', 'unknown frame flags 16'],
    ['stream-from-guest', 'the guest opened a stream'],
    ['stream-flood', 'the guest opened a stream'],
    ['stream-unknown', 'frame for stream 99999, which was never opened'],
    ['window-too-wide', 'stream 1 widened its window too far'],
    ['go-away', 'the agent ended the session with code 1'],
    ['go-away-in-peace', 'the agent ended the session with code 0'],
    ['control-reset', 'stream 1 was reset by the guest'],
    ['control-end', 'the control stream ended without a result'],
    ['message-type', 'unknown message type 119'],
    ['message-from-host', 'message type 1 from the guest'],
    ['message-too-long', 'message length 1048578 is out of bounds'],
    ['message-of-4-gib', 'message length 4294967295 is out of bounds'],
    ['message-of-nothing', 'message length 0 is out of bounds'],
    ['log-no-json', 'log is not valid JSON'],
    ['result-no-json', 'result is not valid JSON'],
    ['result-no-object', 'result is not a JSON object'],
    ['result-no-status', 'result.exit_code is not a number from 0 to 255'],
    ['exits-in-session', 'the guest channel closed (QEMU: qemu: guest has gone)'],
  ])('%s: %s', async (behaviour, reason) => {
    const name = boxes.name(behaviour);
    const { status, out, err } = await runHostile(behaviour, name);
    expect({ status, out }).toEqual({ status: 137, out: '' });
    expect(err.split('\n')[0]).toBe(`a3s-box: Error response from daemon: ${reason}`);
    expect(recordOf(name)).toMatchObject({ status: 'dead', pid: null, exit_code: 137, error: reason });
  });
});

describe('a guest whose agent fails', () => {
  const dies = async (behaviour: string) => {
    const name = boxes.name(behaviour);
    const { options, hasWritten } = hostileGuest(behaviour);
    const { status, err } = await a3s(['run', '--name', name, 'a3s/base', 'true'], options);
    expect({ status, line: err.split('\n')[0] }).toEqual({
      status: 137,
      line: 'a3s-box: Error response from daemon: the guest agent failed: out of luck',
    });
    expect(recordOf(name)).toMatchObject({ status: 'dead', pid: null });
    await until('the end of its monitor', () => processesNaming(recordOf(name).box_dir).length === 0);
    return hasWritten();
  };

  test('writes its disks before its machine is taken from it', async () => {
    expect(await dies('fails-and-writes')).toBe(true);
  });

  test('is not waited for without end', async () => {
    expect(await dies('fails-and-stays')).toBe(false);
  });
});

describe('what a guest says after its result changes nothing', () => {
  test.each([
    ['result-twice', 7],
    ['output-after-result', 7],
    ['output-flood-after-result', 7],
    ['ready-drip', 5],
  ])('%s: status %i', async (behaviour, wanted) => {
    const name = boxes.name(behaviour);
    const { status, out, err } = await runHostile(behaviour, name);
    expect({ status, out, err }).toEqual({ status: wanted, out: '', err: '' });
    expect(recordOf(name)).toMatchObject({ status: 'stopped', exit_code: wanted, error: '' });
  });
});

describe('a QEMU that has been taken over', () => {
  test.each(['qmp-no-json', 'qmp-flood'])('%s: its monitor lives on', async (behaviour) => {
    const name = boxes.name(behaviour);
    expect(await runHostile(behaviour, name)).toMatchObject({ status: 6, out: '', err: '' });
    expect(recordOf(name)).toMatchObject({ status: 'stopped', exit_code: 6 });
  });
});

describe('before the start', () => {
  test('a STARTED that is no JSON is a failed run without a box', async () => {
    const name = boxes.name('started');
    const { status, out, err } = await runHostile('started-no-json', name);
    expect({ status, out }).toEqual({ status: 125, out: '' });
    expect(err.split('\n')[0]).toBe('a3s-box: started is not valid JSON');
    expect(readBoxesFile().map((box) => box.name)).not.toContain(name);
  });

  test('an error text reaches the terminal without its control characters', async () => {
    const name = boxes.name('escapes');
    const { status, err } = await runHostile('result-with-escapes', name);
    expect(status).toBe(127);
    const message = `${CREATE_FAILED}x?[2J????y`;
    expect(err.split('\n')[0]).toBe(`a3s-box: Error response from daemon: ${message}`);
    expect(recordOf(name)).toMatchObject({ status: 'created', error: message });
  });
});

describe('an exec service that lies fails the command and nothing else', () => {
  test.each([
    ['exec-no-http', 'the box refused the command (no status): no reason given'],
    ['exec-endless-head', 'the box sent an endless answer'],
    ['exec-bad-message', 'the box sent something unintelligible: message length 4294967295 is out of bounds'],
  ])('%s: %s', async (behaviour, reason) => {
    const name = boxes.name(behaviour);
    await a3sOk(['run', '-d', '--name', name, 'a3s/base', 'true'], hostileGuest(behaviour).options);
    const { status, out, err } = await a3s(['exec', name, 'true']);
    expect({ status, out, err: err.split('\n')[0] }).toEqual({ status: 1, out: '', err: reason });
    expect(recordOf(name).status).toBe('running');
    killGuest(name);
  });
});

test('another box has noticed nothing', async () => {
  expect(await a3sOk(['exec', neighbour, 'echo', 'well'])).toBe('well');
  expect(recordOf(neighbour)).toMatchObject({ status: 'running', error: '' });
});
