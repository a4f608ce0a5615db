/** Requests, which fit into one message each. docs/protocol.md, "Messages". */
import { A3sError } from '../../errors.ts';
import { MAX_MESSAGE_LENGTH, MessageType, encodeMessage } from './messages.ts';

/** Of a request as JSON; the message's type is one byte more. */
export const MAX_REQUEST_BYTES = MAX_MESSAGE_LENGTH - 1;

/**
 * A request as JSON.
 * @throws A3sError `invalid_config` for one that is too long, which only a command or an environment can make it.
 */
export function requestBody(value: object): Buffer {
  const body = Buffer.from(JSON.stringify(value));
  if (body.length > MAX_REQUEST_BYTES) throw requestTooLong(body.length);
  return body;
}

/** A REQUEST message. Throws what requestBody throws. */
export function encodeRequest(value: object): Buffer {
  return encodeMessage(MessageType.request, requestBody(value));
}

export function requestTooLong(bytes: number, most = MAX_REQUEST_BYTES): A3sError {
  const message = `the command, its environment and labels take ${bytes} bytes together, more than the ${most} that can be passed`;
  return new A3sError('invalid_config', message, { hint: 'pass long values in a file, with -v or cp' });
}
