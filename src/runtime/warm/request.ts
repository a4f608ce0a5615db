/** What a keeper asks of a monitor: to be a warm box. Checked where it comes in. */
import { A3sError } from '../../errors.ts';
import { objectOr } from '../../json.ts';
import { parseObject } from '../protocol/result.ts';
import type { WarmKind } from './fitness.ts';

export interface WarmRequest extends WarmKind {
  op: 'warm';
  home: string;
  shortId: string;
  rootfsPath: string;
  fitness: string;
  /** Commands of the image whose files a template that must be made reads into its memory. */
  commands: string[];
}

const SHORT_ID = /^[0-9a-f]{12}$/;

/** True for the JSON of such a request, sound or not. */
export function asksForWarmBox(payload: Buffer): boolean {
  return parseObject(payload, 'request')['op'] === 'warm';
}

/** @throws A3sError `usage` naming the field at fault. */
export function parseWarmRequest(payload: Buffer): WarmRequest {
  const value = objectOr(parseObject(payload, 'warm request'));
  const { commands } = value;
  const shortId = text(value, 'shortId');
  if (!SHORT_ID.test(shortId)) throw bad('shortId');
  if (!Array.isArray(commands)) throw bad('commands');
  return {
    op: 'warm',
    home: text(value, 'home'),
    shortId,
    cpus: positive(value, 'cpus'),
    memoryMb: positive(value, 'memoryMb'),
    rootfs: text(value, 'rootfs'),
    rootfsPath: text(value, 'rootfsPath'),
    fitness: text(value, 'fitness'),
    commands: commands.map((word: unknown) => {
      if (typeof word !== 'string') throw bad('commands');
      return word;
    }),
  };
}

function text(value: Record<string, unknown>, name: string): string {
  const field = value[name];
  if (typeof field !== 'string' || field === '') throw bad(name);
  return field;
}

function positive(value: Record<string, unknown>, name: string): number {
  const field = value[name];
  if (typeof field !== 'number' || !(field > 0)) throw bad(name);
  return field;
}

function bad(name: string): A3sError {
  return new A3sError('usage', `the request for a warm box has no sound ${name}`);
}
