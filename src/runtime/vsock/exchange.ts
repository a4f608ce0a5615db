/**
 * One request and its answer on a dialled port, in the messages of docs/protocol.md: REQUEST out; STARTED, STDOUT, STDERR
 * and LOG in any number; one RESULT.
 */
import { A3sError } from '../../errors.ts';
import { ProtocolError } from '../protocol/frames.ts';
import { MAX_MESSAGE_LENGTH, MessageType, encodeJsonMessage } from '../protocol/messages.ts';
import type { ProcessResult } from '../process-session.ts';
import { AnswerReader, type Said } from './answer.ts';
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
    const answer = new AnswerReader();
    for (;;) {
      const chunk = await stream.read();
      if (chunk === null) throw brokenOff(stream, answer);
      for (const said of answer.read(chunk)) {
        // Whatever may come behind the result is not looked at.
        if (said.kind === 'result') {
          return { ...said.result, output: records.output(), truncated: records.truncated };
        }
        const record = recordOf(said);
        if (record === null) continue;
        records.add(record);
        onRecord?.(record);
      }
    }
  } catch (error) {
    throw told(error, stream.name, records.all());
  } finally {
    stream.close();
  }
}

function brokenOff(stream: VsockStream, answer: AnswerReader): VsockError {
  const where = answer.idle ? 'before the result' : 'in the middle of a message';
  return new VsockError('reset', `${stream.name}: the connection ended ${where}`);
}

/** A copy: a record that is kept must not keep what else came in with it. */
function recordOf(said: Exclude<Said, { kind: 'result' }>): VsockRecord | null {
  switch (said.kind) {
    case 'started':
      return null;
    case 'log':
      return { kind: 'log', level: said.level, message: said.text };
    default:
      return { kind: said.kind, bytes: Buffer.from(said.message.payload) };
  }
}

/** The failure with the records that had come before it. */
function told(error: unknown, name: string, records: VsockRecord[]): unknown {
  if (error instanceof VsockError) return error.with(records);
  if (!(error instanceof ProtocolError)) return error;
  const { raw, message } = error;
  return new VsockError('malformed', `${name}: ${message}`, { raw, records, cause: error });
}
