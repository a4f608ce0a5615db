import { describe, expect, test } from 'vitest';

import { processTable } from '../../../src/commands/rows/process-table.ts';
import { daysAndTime, minutes } from '../../../src/commands/rows/process-times.ts';
import { parsePsOptions } from '../../../src/commands/rows/ps-options.ts';
import type { BoxProcess } from '../../../src/engine/top.ts';

const SLEEP: BoxProcess = {
  pid: 1,
  ppid: 0,
  pgid: 1,
  sid: 1,
  uid: 0,
  gid: 0,
  user: 'root',
  group: 'root',
  state: 'S',
  tty: '?',
  priority: 20,
  nice: 0,
  threads: 1,
  userTime: 1,
  systemTime: 0.5,
  started: 1_000_000,
  virtualBytes: 4096 * 1024,
  residentBytes: 1024 * 1024,
  name: 'sleep',
  arguments: 'sleep 1000',
};
const LIST = { now: 1_000_010, memoryBytes: 100 * 1024 * 1024, processes: [SLEEP] };

function headings(...words: string[]): string[] {
  return parsePsOptions(words).map(({ heading }) => heading);
}

describe('top', () => {
  test('shows Docker’s columns, 20 wide', () => {
    const [head, row] = processTable(LIST, parsePsOptions([])).split('\n');
    expect(head).toBe(
      'UID                 PID                 PPID                C                   STIME               TTY                 TIME                CMD',
    );
    expect(row).toMatch(/^root {16}1 {19}0 {19}15 {18}\d\d:\d\d {15}\? {19}00:00:01 {12}sleep 1000$/);
  });

  test('takes the options of ps', () => {
    expect(headings('-ef')).toEqual(headings());
    expect(headings('aux')).toEqual([
      'USER',
      'PID',
      '%CPU',
      '%MEM',
      'VSZ',
      'RSS',
      'TTY',
      'STAT',
      'START',
      'TIME',
      'COMMAND',
    ]);
    expect(headings('-aux')).toEqual(headings('aux'));
    expect(headings('-e')).toEqual(['PID', 'TTY', 'TIME', 'CMD']);
    expect(headings('x')).toEqual(['PID', 'TTY', 'STAT', 'TIME', 'COMMAND']);
    expect(headings('-eo', 'pid,cmd')).toEqual(['PID', 'CMD']);
    expect(headings('-o', 'pid', '-o', 'comm=NAME')).toEqual(['PID', 'NAME']);
    expect(headings('--format=pid,user')).toEqual(['PID', 'USER']);
    expect(headings('axo', 'pid,rss')).toEqual(['PID', 'RSS']);
  });

  test('refuses what it does not know', () => {
    expect(() => headings('--forest')).toThrow('ps: unsupported option "--forest"');
    expect(() => headings('-Z')).toThrow('ps: unsupported option "-Z"');
    expect(() => headings('-o', 'pid,wchan')).toThrow('ps: unknown column "wchan"');
    expect(() => headings('-o')).toThrow('ps: a format must follow -o');
  });

  test('computes what ps computes', () => {
    const table = processTable(LIST, parsePsOptions(['-o', 'pcpu,pmem,vsz,rss,stat,etime']));
    expect(table.split('\n')[1]?.split(/ +/)).toEqual(['15.0', '1.0', '4096', '1024', 'Ss', '00:10']);
    expect([daysAndTime(90_061), daysAndTime(61, true), minutes(3661)]).toEqual([
      '1-01:01:01',
      '01:01',
      '61:01',
    ]);
  });
});
