/** `top`: the processes of a box, as its agent sees them. */
import { A3sError } from '../errors.ts';
import { isObject, objectOr } from '../json.ts';
import { askFiles } from '../runtime/files-client.ts';
import { tellBox } from './box-tell.ts';
import { findRunning } from './running.ts';
import type { Engine } from './types.ts';

export interface BoxProcess {
  /** Numbers as the box knows them; a parent outside of it is 0. */
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  uid: number;
  gid: number;
  user: string;
  group: string;
  /** One letter: R, S, D, Z, T, … */
  state: string;
  /** `pts/0`, or `?`. */
  tty: string;
  priority: number;
  nice: number;
  threads: number;
  /** Seconds. */
  userTime: number;
  systemTime: number;
  /** Seconds since 1970. */
  started: number;
  virtualBytes: number;
  residentBytes: number;
  name: string;
  /** Empty for one that has none left. */
  arguments: string;
}

export interface ProcessList {
  /** Seconds since 1970, by the box's clock. */
  now: number;
  /** Memory of the VM. */
  memoryBytes: number;
  processes: BoxProcess[];
}

/** @throws what findRunning throws; A3sError `guest_protocol`. */
export async function boxProcesses(engine: Engine, query: string): Promise<ProcessList> {
  const record = await findRunning(engine, query);
  const answer = objectOr(await askFiles(record, { op: 'processes' }));
  const list = answer['processes'];
  if (!Array.isArray(list)) throw new A3sError('guest_protocol', 'the box sent no list of processes');
  tellBox(engine.layout, record, 'top');
  const ticks = Math.max(numberIn(answer, 'ticks'), 1);
  return {
    now: numberIn(answer, 'now'),
    memoryBytes: numberIn(answer, 'memory_bytes'),
    processes: list.filter(isObject).map((item) => parseProcess(item, ticks)),
  };
}

function parseProcess(item: Record<string, unknown>, ticks: number): BoxProcess {
  return {
    pid: numberIn(item, 'pid'),
    ppid: numberIn(item, 'ppid'),
    pgid: numberIn(item, 'pgid'),
    sid: numberIn(item, 'sid'),
    uid: numberIn(item, 'uid'),
    gid: numberIn(item, 'gid'),
    user: textIn(item, 'user'),
    group: textIn(item, 'group'),
    state: textIn(item, 'state'),
    tty: textIn(item, 'tty'),
    priority: numberIn(item, 'priority'),
    nice: numberIn(item, 'nice'),
    threads: numberIn(item, 'threads'),
    userTime: numberIn(item, 'user_time') / ticks,
    systemTime: numberIn(item, 'system_time') / ticks,
    started: numberIn(item, 'started'),
    virtualBytes: numberIn(item, 'virtual_bytes'),
    residentBytes: numberIn(item, 'resident_bytes'),
    name: textIn(item, 'name'),
    arguments: textIn(item, 'arguments'),
  };
}

function numberIn(item: Record<string, unknown>, key: string): number {
  const value = item[key];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new A3sError('guest_protocol', `the box sent no number for ${key}`);
}

/** Control characters of a hostile process's name must not reach a terminal. */
function textIn(item: Record<string, unknown>, key: string): string {
  const value = item[key];
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  return typeof value === 'string' ? value.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '?') : '';
}
