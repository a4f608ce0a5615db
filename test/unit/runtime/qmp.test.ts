import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { Qmp } from '../../../src/runtime/qemu/qmp.ts';
import { temporaryDirectory } from '../../temporary.ts';

/** Both ends of a connection: the product's, and QEMU's, which the test plays. */
async function openQmp(): Promise<{ qmp: Qmp; qemu: Socket; line: () => Promise<Record<string, unknown>> }> {
  const path = join(temporaryDirectory(), 's');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const socket = connect(path);
  const [qemu]: Socket[] = await once(server, 'connection');
  if (qemu === undefined) throw new Error('no connection');
  server.close();
  onTestFinished(() => {
    qemu.destroy();
    socket.destroy();
  });
  let held = '';
  qemu.setEncoding('utf8').on('data', (text: string) => {
    held += text;
  });
  const line = async (): Promise<Record<string, unknown>> => {
    while (!held.includes('\n')) await once(qemu, 'data');
    const end = held.indexOf('\n');
    const text = held.slice(0, end);
    held = held.slice(end + 1);
    return JSON.parse(text);
  };
  return { qmp: new Qmp(socket), qemu, line };
}

test('commands are sent without waiting, and each answer finds its own', async () => {
  const { qmp, qemu, line } = await openQmp();
  const answers = Promise.all([qmp.execute('first', { a: 1 }), qmp.execute('second')]);
  expect(await line()).toEqual({ execute: 'qmp_capabilities' });
  expect(await line()).toEqual({ execute: 'first', arguments: { a: 1 }, id: 1 });
  expect(await line()).toEqual({ execute: 'second', id: 2 });
  qemu.write('{"QMP":{}}\r\n{"return":{}}\r\n{"event":"RESUME"}\r\n{"return":"two","id":2}\r\n{"ret');
  qemu.write('urn":"one","id":1}\r\n');
  expect(await answers).toEqual(['one', 'two']);
});

test('a refusal names the command', async () => {
  const { qmp, qemu } = await openQmp();
  const answer = qmp.execute('migrate');
  qemu.write('{"error":{"class":"GenericError","desc":"no"},"id":1}\n');
  await expect(answer).rejects.toMatchObject({
    code: 'io',
    message: 'QEMU refused migrate: {"class":"GenericError","desc":"no"}',
  });
});

test('silence ends at the deadline', async () => {
  const { qmp } = await openQmp();
  await expect(qmp.execute('cont', undefined, 20)).rejects.toMatchObject({
    code: 'timeout',
    message: 'QEMU did not answer cont within 20 ms',
  });
});

test.each([
  ['the end of QEMU', (qemu: Socket) => qemu.destroy()],
  ['a line that is no JSON', (qemu: Socket) => qemu.write('Segmentation fault\n')],
  ['a line without end', (qemu: Socket) => qemu.write('x'.repeat(2 * 1024 * 1024))],
])('%s fails what waits and what comes', async (_name, act) => {
  const { qmp, qemu } = await openQmp();
  qemu.on('error', () => {});
  const waiting = qmp.execute('stop');
  act(qemu);
  await expect(waiting).rejects.toMatchObject({ code: 'io', message: 'QEMU ended before it answered stop' });
  await expect(qmp.execute('cont')).rejects.toMatchObject({ code: 'io', message: 'QEMU is gone (cont)' });
});
