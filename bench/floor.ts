/** Prepares every byte that floor.c sends, from the product's own parts: the same template, arguments and request. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { runRequest } from '../src/runtime/monitor/run-request.ts';
import { slirp } from '../src/runtime/network.ts';
import { FrameFlag, FrameType, encodeFrameHeader } from '../src/runtime/protocol/frames.ts';
import { helloLine, newNonce } from '../src/runtime/protocol/handshake.ts';
import { MessageType, encodeJsonMessage } from '../src/runtime/protocol/messages.ts';
import { qemuArguments } from '../src/runtime/qemu/args.ts';
import { AGENT_FD, QMP_FD, STATE_FD } from '../src/runtime/qemu/process.ts';
import { acceleratorOf, openContext } from '../src/runtime/templates/context.ts';
import { findImageTemplate } from '../src/runtime/templates/ensure.ts';
import { shapeOf } from '../src/runtime/templates/shape.ts';
import { provideTransfer } from '../src/runtime/transfer/disk.ts';
import { type Layout, transferFile } from '../src/state/layout.ts';
import type { BoxRecord } from '../src/state/record.ts';

/** Compiles the floor and prepares its files in `dir`; returns its command line for the box in `record`. */
export async function floorCommand(
  layout: Layout,
  record: BoxRecord,
  rootfs: { path: string; digest: string },
  dir: string,
): Promise<string[]> {
  const context = openContext(layout);
  const shape = shapeOf(record, 0);
  const found = findImageTemplate(context, shape, rootfs.digest);
  if (found === null || found.template.scratch === null) throw new Error('the image has no template');
  const network = await slirp.attach(record);
  const scratch = join(dir, 'scratch.qcow2');
  const transfer = transferFile(dir);
  provideTransfer(transfer);
  const args = qemuArguments({
    name: 'floor',
    shape,
    accelerator: acceleratorOf(found.accelerator),
    memory: { file: found.template.memory, mode: 'copy' },
    incoming: true,
    root: { kind: 'file', path: rootfs.path, format: 'raw' },
    scratch: { kind: 'file', path: scratch, format: 'qcow2' },
    transfer: { kind: 'file', path: transfer, format: 'raw', fleeting: true },
    netdev: network.netdev,
    shares: [],
    emptyShare: layout.emptyShareDir,
    privileged: context.privileged,
    qmpFd: QMP_FD,
    agentFd: AGENT_FD,
    consoleFile: join(dir, 'console.log'),
  });
  const request = runRequest(record, { mounts: [], network, rows: 24, cols: 80 });
  const program = join(dir, 'floor');
  execFileSync('cc', ['-O2', '-o', program, join(import.meta.dirname, 'floor.c')], { stdio: 'inherit' });
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  return [
    program,
    file('arguments', [context.host.qemu.path, ...args].map((word) => `${word}\0`).join('')),
    file('qmp', qmpCommands()),
    file('hello', helloLine(newNonce())),
    file('request', openControlStream(encodeJsonMessage(MessageType.request, request))),
    found.template.state,
    found.template.scratch,
    scratch,
  ];
}

function qmpCommands(): string {
  const capabilities = [{ capability: 'x-ignore-shared', state: true }];
  return [
    { execute: 'qmp_capabilities' },
    { execute: 'migrate-set-capabilities', arguments: { capabilities } },
    { execute: 'migrate-incoming', arguments: { uri: `fd:${STATE_FD}` } },
  ]
    .map((command) => `${JSON.stringify(command)}\n`)
    .join('');
}

function openControlStream(request: Buffer): Buffer {
  const connect = Buffer.from('CONNECT 4090\n');
  const frame = (flags: number, payload: Buffer): Buffer[] => [
    encodeFrameHeader({ type: FrameType.data, flags, streamId: 1, length: payload.length }),
    payload,
  ];
  return Buffer.concat([...frame(FrameFlag.syn, connect), ...frame(0, request)]);
}
