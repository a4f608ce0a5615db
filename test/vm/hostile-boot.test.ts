import { afterEach, beforeAll, describe, expect, test } from 'vitest';

import { boxesOf } from '../e2e/fixture/boxes.ts';
import { a3s, a3sOk } from '../e2e/fixture/cli.ts';
import { readBoxesFile, recordOf } from '../e2e/fixture/records.ts';
import { hostileGuest } from './fixture/hostile.ts';
import { warmTemplates } from './fixture/templates.ts';

const boxes = boxesOf('boot');
const neighbour = boxes.shared('neighbour');
/** Two tries of one second: guests that never say anything of use. */
const SILENT_S = 2;
/** Guests that answer must have the time to come up, which on a busy machine is more than a second. */
const ANSWERING_S = 60;
/** They answer, and then one of these two tries is waited for. */
const IDLE_S = 10;
/** What a run takes beside its boot, on a busy machine. */
const SLACK_S = 20;

const runHostile = (behaviour: string, words: string[], seconds: number) => {
  const { options } = hostileGuest(behaviour);
  const env = { ...options.env, A3S_BOX_BOOT_TIMEOUT: String(seconds) };
  return a3s(words, { ...options, env });
};

beforeAll(async () => {
  await a3sOk(['run', '-d', '--name', neighbour, 'a3s/base', 'sleep', '10000']);
});

// Each of these failures costs the image its template, as it should: the next ones shall find it again.
afterEach(() => warmTemplates());

describe('a guest that does not come up is a boot error that names the stage, within the deadline', () => {
  test.each([
    ['silent', 'the guest agent did not answer within 1000 ms (agent)', SILENT_S],
    ['garbage-drip', 'the guest agent did not answer within 1000 ms (agent)', SILENT_S],
    ['wrong-nonce', 'the guest agent did not answer within 1000 ms (agent)', SILENT_S],
    ['fatal-unreadable', 'the guest agent did not answer within 1000 ms (agent)', SILENT_S],
    ['garbage-flood', 'the guest sent over 1 MiB without opening the session (handshake)', ANSWERING_S],
    ['unsupported', 'the guest agent speaks another protocol (handshake)', ANSWERING_S],
    ['fatal', 'the guest failed to boot: no virtio?[2J (modules)', ANSWERING_S],
    ['exits', 'the VM ended before its agent answered (QEMU: qemu: something is wrong) (agent)', ANSWERING_S],
    ['never-starts', 'the guest did not start the workload within 5000 ms (start)', IDLE_S],
    ['never-opens', 'the guest did not start the workload within 5000 ms (start)', IDLE_S],
  ])('%s: %s', async (behaviour, reason, seconds) => {
    const name = boxes.name(behaviour);
    const words = ['run', '--name', name, 'a3s/base', 'true'];
    const { status, out, err, ms } = await runHostile(behaviour, words, seconds);
    expect({ status, out, err: err.split('\n')[0] }).toEqual({
      status: 125,
      out: '',
      err: `a3s-box: ${reason}`,
    });
    expect(ms).toBeLessThan((seconds + SLACK_S) * 1000);
    expect(readBoxesFile().map((box) => box.name)).not.toContain(name);
    expect(await a3sOk(['exec', neighbour, 'echo', 'well'])).toBe('well');
  });
});

test('a box that was created before stays created, and its record says why', async () => {
  const name = boxes.name('created');
  await a3sOk(['create', '--name', name, 'a3s/base', 'true']);
  const { status, out, err } = await runHostile('silent', ['start', name], SILENT_S);
  const reason = 'the guest agent did not answer within 1000 ms';
  expect({ status, out }).toEqual({ status: 1, out: '' });
  expect(err).toContain(reason);
  expect(recordOf(name)).toMatchObject({ status: 'created', pid: null, error: reason });
  expect(await a3s(['start', '-a', name])).toMatchObject({ status: 0, out: '', err: '' });
});

test('a deadline that is no number is refused by name', async () => {
  const name = boxes.name('deadline');
  const options = { env: { A3S_BOX_BOOT_TIMEOUT: 'soon' } };
  const { status, err } = await a3s(['run', '--name', name, 'a3s/base', 'true'], options);
  expect({ status, err: err.split('\n')[0] }).toEqual({
    status: 125,
    err: 'a3s-box: Error response from daemon: A3S_BOX_BOOT_TIMEOUT must be a number of seconds up to 3600, not "soon"',
  });
});
