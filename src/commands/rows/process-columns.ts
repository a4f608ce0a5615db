/** The columns of `ps` (procps), from what the agent tells of a process. Pure. */
import type { BoxProcess, ProcessList } from '../../engine/top.ts';
import { daysAndTime, longTime, minutes, startTime } from './process-times.ts';

export interface Column {
  heading: string;
  value(process: BoxProcess, list: ProcessList): string;
}

const KIB = 1024;
/** Where the kernel's priorities of ordinary processes start in `ps -l`. */
const PRIORITY_BASE = 60;

const cpuTime = ({ userTime, systemTime }: BoxProcess): number => userTime + systemTime;
const age = ({ started }: BoxProcess, { now }: ProcessList): number => Math.max(now - started, 0);
const cpuShare = (process: BoxProcess, list: ProcessList): number =>
  (cpuTime(process) / Math.max(age(process, list), 1)) * 100;
const commandLine = (process: BoxProcess): string =>
  process.arguments === '' ? `[${process.name}]` : process.arguments;
const memoryShare = ({ residentBytes }: BoxProcess, { memoryBytes }: ProcessList): string =>
  ((residentBytes / Math.max(memoryBytes, 1)) * 100).toFixed(1);
const status = (process: BoxProcess): string =>
  process.state +
  (process.nice < 0 ? '<' : process.nice > 0 ? 'N' : '') +
  (process.pid === process.sid ? 's' : '') +
  (process.threads > 1 ? 'l' : '');

function column(heading: string, value: Column['value']): Column {
  return { heading, value };
}

/** By the names that `-o` takes. */
export const COLUMNS: Readonly<Record<string, Column>> = {
  pid: column('PID', ({ pid }) => String(pid)),
  ppid: column('PPID', ({ ppid }) => String(ppid)),
  pgid: column('PGID', ({ pgid }) => String(pgid)),
  sid: column('SID', ({ sid }) => String(sid)),
  uid: column('UID', ({ uid }) => String(uid)),
  gid: column('GID', ({ gid }) => String(gid)),
  user: column('USER', ({ user }) => user),
  group: column('GROUP', ({ group }) => group),
  comm: column('COMMAND', ({ name }) => name),
  args: column('COMMAND', commandLine),
  pcpu: column('%CPU', (process, list) => cpuShare(process, list).toFixed(1)),
  c: column('C', (process, list) => String(Math.floor(cpuShare(process, list)))),
  pmem: column('%MEM', memoryShare),
  vsz: column('VSZ', ({ virtualBytes }) => String(Math.floor(virtualBytes / KIB))),
  rss: column('RSS', ({ residentBytes }) => String(Math.floor(residentBytes / KIB))),
  stat: column('STAT', status),
  s: column('S', ({ state }) => state),
  tty: column('TTY', ({ tty }) => tty),
  time: column('TIME', (process) => daysAndTime(cpuTime(process))),
  bsdtime: column('TIME', (process) => minutes(cpuTime(process))),
  etime: column('ELAPSED', (process, list) => daysAndTime(age(process, list), true)),
  etimes: column('ELAPSED', (process, list) => String(age(process, list))),
  stime: column('STIME', ({ started }, { now }) => startTime(started, now)),
  bsdstart: column('START', ({ started }, { now }) => startTime(started, now)),
  lstart: column('STARTED', ({ started }) => longTime(started)),
  ni: column('NI', ({ nice }) => String(nice)),
  pri: column('PRI', ({ priority }) => String(PRIORITY_BASE + priority)),
  nlwp: column('NLWP', ({ threads }) => String(threads)),
};

/** Other names of theirs. */
const ALIASES: Readonly<Record<string, string>> = {
  euser: 'user',
  uname: 'user',
  ruser: 'user',
  euid: 'uid',
  egid: 'gid',
  egroup: 'group',
  pgrp: 'pgid',
  sess: 'sid',
  session: 'sid',
  ucmd: 'comm',
  ucomm: 'comm',
  cmd: 'args',
  command: 'args',
  '%cpu': 'pcpu',
  '%mem': 'pmem',
  vsize: 'vsz',
  rssize: 'rss',
  rsz: 'rss',
  state: 's',
  tt: 'tty',
  tname: 'tty',
  cputime: 'time',
  start_time: 'stime',
  start: 'stime',
  nice: 'ni',
  thcount: 'nlwp',
};

/** The headings that procps gives to other names of a column. */
const HEADINGS: Readonly<Record<string, string>> = {
  cmd: 'CMD',
  tt: 'TT',
  euser: 'EUSER',
  ruser: 'RUSER',
  start: 'STARTED',
  thcount: 'THCNT',
};

/** The column of that name; undefined for one that `ps` or the agent does not have. */
export function columnOf(name: string): Column | undefined {
  const own = Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
  const found = Object.hasOwn(COLUMNS, own) ? COLUMNS[own] : undefined;
  const heading = Object.hasOwn(HEADINGS, name) ? HEADINGS[name] : undefined;
  return found === undefined || heading === undefined ? found : { ...found, heading };
}
