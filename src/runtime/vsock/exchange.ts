/**
 * One request and its answer on a dialled port, in the messages of docs/protocol.md: REQUEST out; STARTED, STDOUT, STDERR
 * and LOG in any number; one RESULT.
 */
import { A3sError } from '../../errors.ts';
import { guestText } from '../protocol/guest-text.ts';
import { MAX_MESSAGE_LENGTH, MessageType, encodeJsonMessage } from '../protocol/messages.ts';
import { parseObject, parseResult } from '../protocol/result.ts';
import type { ProcessResult } from '../process-session.ts';
import { VsockError, type VsockRecord } from './error.ts';
import { RecordLog } from './records.ts';
import type { VsockStream } from './stream.ts';

const LENGTH_BYTES = 4;

export interface VsockOutcome extends ProcessResult {
  /** Standard output and error in the order they came: the last 16 MiB. */
  output: Buffer;
  /** More came than was kept. */
  truncated: boolean;
}

export interface ExchangeOptions {
  /** Called with each record as it comes. */
  onRecord?: (record: VsockRecord) => void;
}

/**
 * Sends the request, reads to the result, and closes the stream, however it ends.
 * @throws VsockError `reset`, `malformed`, `deadline`, `cancelled`, with the records that had come; A3sError `usage` for a
 *   request that is longer than a message may be.
 */
export async function exchange(
  stream: VsockStream,
  request: object,
  { onRecord }: ExchangeOptions = {},
): Promise<VsockOutcome> {
  const records = new RecordLog();
  try {
    const message = encodeJsonMessage(MessageType.request, request);
    if (message.length > LENGTH_BYTES + MAX_MESSAGE_LENGTH) {
      throw new A3sError('usage', `${stream.name}: the request is longer than 1 MiB`);
    }
    await stream.write(message);
    for (;;) {
      const came = await readMessage(stream);
      if ('result' in came) {
        return { ...came.result, output: records.output(), truncated: records.truncated };
      }
      if (came.record === null) continue;
      records.add(came.record);
      onRecord?.(came.record);
    }
  } catch (error) {
    throw error instanceof VsockError ? error.with(records.all()) : error;
  } finally {
    stream.close();
  }
}

type Came = { record: VsockRecord | null } | { result: ProcessResult };

async function readMessage(stream: VsockStream): Promise<Came> {
  const head = await stream.readExactly(LENGTH_BYTES);
  const length = head.readUInt32BE(0);
  if (length < 1 || length > MAX_MESSAGE_LENGTH) {
    throw new VsockError('malformed', `${stream.name}: message length ${length} is out of bounds`, {
      raw: head,
    });
  }
  const body = await stream.readExactly(length);
  // A copy: a record that is kept must not keep what else came in with it.
  const raw = Buffer.concat([head, body]);
  try {
    return meaningOf(raw.readUInt8(LENGTH_BYTES), raw.subarray(LENGTH_BYTES + 1));
  } catch (cause) {
    const why = guestText(cause instanceof Error ? cause.message : String(cause));
    throw new VsockError('malformed', `${stream.name}: ${why}`, { raw, cause });
  }
}

/** @throws Error saying what is wrong with the message. */
function meaningOf(type: number, payload: Buffer): Came {
  switch (type) {
    case MessageType.started:
      parseObject(payload, 'started');
      return { record: null };
    case MessageType.stdout:
      return { record: { kind: 'stdout', bytes: payload } };
    case MessageType.stderr:
      return { record: { kind: 'stderr', bytes: payload } };
    case MessageType.log: {
      const { level, message } = parseObject(payload, 'log');
      return { record: { kind: 'log', level: guestText(level), message: guestText(message) } };
    }
    case MessageType.result:
      if (payload.length === 0) throw new Error('the result is empty');
      return { result: parseResult(payload) };
    default:
      throw new Error(`unknown message type ${type}`);
  }
}
