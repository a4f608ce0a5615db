/**
 * What happened to boxes, read from a change of boxes.json: whoever changes a record need not think of events, and none is forgotten.
 * Pure. What no record tells of (signals, further commands) is put into the journal where it happens.
 */
import { isObject } from '../json.ts';
import type { JournalEvent } from './journal.ts';
import type { BoxRecord, VolumeMount } from './record.ts';

/** The fields that events tell of; those of an older version may be missing. */
type Facts = Pick<BoxRecord, 'id' | 'name' | 'status'> & Partial<BoxRecord>;

/**
 * The events between two texts of boxes.json, which has a box a line: only lines that differ are looked at.
 */
export function boxEvents(before: string, after: string): JournalEvent[] {
  const [old, fresh] = [before.split('\n').map(bare), after.split('\n').map(bare)];
  const [inOld, inFresh] = [new Set(old), new Set(fresh)];
  const gone = byId(old.filter((line) => !inFresh.has(line)));
  const come = byId(fresh.filter((line) => !inOld.has(line)));
  const removed = [...gone.values()].filter(({ id }) => !come.has(id));
  return [
    ...[...come.values()].flatMap((box) => changeOf(gone.get(box.id), box)),
    ...removed.map((box) => boxEvent(box, 'destroy')),
  ];
}

/** An event of a box, with the attributes that Docker's have: the labels, the image, the name, and `more`. */
export function boxEvent(box: Facts, action: string, more: Record<string, string> = {}): JournalEvent {
  const attributes = { ...box.labels, image: box.image ?? '', name: box.name, ...more };
  return { type: 'container', action, id: box.id, attributes };
}

/** How a box's workload ended. */
export interface BoxEnd {
  exitCode: number;
  /** ISO 8601. */
  finishedAt: string | null | undefined;
  oomKilled?: boolean | undefined;
}

/** The end of a box's workload; its volumes are free before it is told (moby, handleContainerExit). */
export function endEvents(box: Facts, { exitCode, finishedAt, oomKilled }: BoxEnd): JournalEvent[] {
  const ms = Date.parse(finishedAt ?? '') - Date.parse(box.started_at ?? '');
  const execDuration = String(Number.isNaN(ms) ? 0 : Math.max(Math.round(ms / 1000), 0));
  return [
    ...(oomKilled === true ? [boxEvent(box, 'oom')] : []),
    ...volumesOf(box).map(({ name }) => volumeEvent('unmount', name, { container: box.id })),
    boxEvent(box, 'die', { execDuration, exitCode: String(exitCode) }),
  ];
}

/** An event of a volume; the driver is always the same. */
export function volumeEvent(action: string, name: string, more: Record<string, string> = {}): JournalEvent {
  return { type: 'volume', action, id: name, attributes: { driver: 'local', ...more } };
}

/** Its volumes, then the box. */
function startEvents(box: Facts): JournalEvent[] {
  const mounts = volumesOf(box).map(({ name, target, read_only }) =>
    volumeEvent('mount', name, {
      container: box.id,
      destination: target,
      propagation: '',
      'read/write': String(!read_only),
    }),
  );
  return [...mounts, boxEvent(box, 'start')];
}

function volumesOf({ volumes = [] }: Facts): VolumeMount[] {
  return volumes.filter(({ type }) => type === 'volume');
}

function changeOf(before: Facts | undefined, box: Facts): JournalEvent[] {
  const events: JournalEvent[] = [];
  if (before === undefined) events.push(boxEvent(box, 'create'));
  const was = before?.status ?? 'created';
  const ran = was === 'running' || was === 'paused';
  if (before !== undefined && before.name !== box.name) {
    events.push(boxEvent(box, 'rename', { oldName: `/${before.name}` }));
  }
  if (box.status === 'running' && !ran) events.push(...startEvents(box));
  if (was === 'running' && box.status === 'paused') events.push(boxEvent(box, 'pause'));
  if (was === 'paused' && box.status === 'running') events.push(boxEvent(box, 'unpause'));
  if (ran && box.status !== 'running' && box.status !== 'paused') {
    const { exit_code: exitCode, finished_at: finishedAt, oom_killed: oomKilled } = box;
    events.push(...endEvents(box, { exitCode: exitCode ?? 0, finishedAt, oomKilled }));
  }
  const health = box.health ?? null;
  // That of a box that has ended is no result of a check.
  if (
    before !== undefined &&
    box.status === 'running' &&
    health !== null &&
    health !== (before.health ?? null) &&
    health !== 'starting'
  ) {
    events.push(boxEvent(box, `health_status: ${health}`));
  }
  return events;
}

/** The lines around the boxes are no objects of their own. */
function byId(lines: readonly string[]): Map<string, Facts> {
  return new Map(lines.flatMap((line) => factsOf(line).map((box) => [box.id, box] as const)));
}

function bare(line: string): string {
  return line.endsWith(',') ? line.slice(0, -1) : line;
}

function factsOf(line: string): Facts[] {
  if (!line.startsWith('{"id"')) return [];
  try {
    const value: unknown = JSON.parse(line);
    return isFacts(value) ? [value] : [];
  } catch {
    return [];
  }
}

function isFacts(value: unknown): value is Facts {
  if (!isObject(value)) return false;
  return [value['id'], value['name'], value['status']].every((field) => typeof field === 'string');
}
