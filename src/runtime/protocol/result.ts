/** The RESULT message: from a guest, so every field is checked. */
import { isObject, objectOr } from '../../json.ts';
import type { ProcessResult } from '../process-session.ts';
import { ProtocolError } from './frames.ts';
import { guestText } from './guest-text.ts';

/** @throws ProtocolError when the payload is not a well-formed result. */
export function parseResult(payload: Buffer): ProcessResult {
  const value = parseObject(payload, 'result');
  const result: ProcessResult = { exitCode: byte(value['exit_code'], 'exit_code') };
  if (value['signal'] !== undefined && value['signal'] !== null)
    result.signal = byte(value['signal'], 'signal');
  if (value['oom_killed'] === true) result.oomKilled = true;
  if (value['timed_out'] === true) result.timedOut = true;
  const error = value['error'];
  if (error !== undefined && error !== null) {
    const { code, stage, message } = objectOr(error);
    result.error = { code: guestText(code), stage: guestText(stage), message: guestText(message) };
  }
  return result;
}

/**
 * Whether a process that has STARTED has the transfer disk, for which it was asked.
 * @throws ProtocolError when the payload is not one JSON object.
 */
export function grantsTransfer(payload: Buffer): boolean {
  return parseObject(payload, 'started')['transfer'] === true;
}

/** @throws ProtocolError when the payload is not one JSON object. */
export function parseObject(payload: Buffer, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch {
    throw new ProtocolError(`${what} is not valid JSON`);
  }
  if (!isObject(value)) throw new ProtocolError(`${what} is not a JSON object`);
  return value;
}

function byte(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 255) {
    throw new ProtocolError(`result.${name} is not a number from 0 to 255`);
  }
  return value;
}
