/** Filters of `ps`, by Docker's rules: values of one key are alternatives, different keys must all match. Pure. */
import { A3sError } from '../errors.ts';
import type { BoxRecord, BoxStatus } from '../state/record.ts';
import { resolveBox } from '../state/resolve.ts';
import { shownStatus } from './docker-state.ts';
import { isUp } from './engine.ts';

/** Docker's words for states, and ours. */
const STATES: Readonly<Record<string, readonly BoxStatus[]>> = {
  created: ['created'],
  starting: ['starting'],
  running: ['running'],
  paused: ['paused'],
  exited: ['stopped'],
  stopped: ['stopped'],
  dead: ['dead'],
  restarting: ['restarting'],
  removing: [],
};

const HEALTH = new Set(['starting', 'healthy', 'unhealthy', 'none']);

/** Docker's keys that need what boxes do not have yet. */
const LATER = new Set(['is-task', 'isolation']);

export interface BoxFilter {
  matches(box: BoxRecord, boxes: readonly BoxRecord[]): boolean;
  /** Images named by `ancestor=`, left to the caller. */
  ancestors: readonly string[];
  /** True when `status=` is there: boxes that do not run are meant, too. */
  namesState: boolean;
}

type Test = (box: BoxRecord, value: string, boxes: readonly BoxRecord[]) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  status: (box, value) =>
    STATES[value]?.some((each) => each === box.status || each === shownStatus(box)) === true,
  // Docker's names have a leading slash; patterns may count on it or not.
  name: (box, value) => matchesPattern(value, `/${box.name}`) || matchesPattern(value, box.name),
  id: (box, value) => matchesPattern(value, box.id) || matchesPattern(value, box.id.replaceAll('-', '')),
  label: (box, value) => hasLabel(box.labels, value),
  exited: (box, value) => shownStatus(box) === 'stopped' && box.exit_code === Number(value),
  // A bind mount has no name, and goes by its source.
  volume: (box, value) =>
    box.volumes.some(({ name, source, target }) => (name || source) === value || target === value),
  expose: (box, value) =>
    [...box.exposed_ports, ...box.port_map].some((port) => isPort(value, port.guest_port, port)),
  publish: (box, value) => isUp(box) && box.port_map.some((port) => isPort(value, port.guest_port, port)),
  health: (box, value) => (box.health ?? 'none') === value,
  network: (box, value) => (box.network === 'none' ? 'none' : 'bridge') === value,
  before: (box, value, boxes) => box.created_at < resolveBox(boxes, value).created_at,
  since: (box, value, boxes) => box.created_at > resolveBox(boxes, value).created_at,
};

/** @throws A3sError `usage` in Docker's words; `unsupported` for a key of Docker's that is not there yet. */
export function parseBoxFilters(filters: readonly string[]): BoxFilter {
  const byKey = new Map<string, string[]>();
  for (const filter of filters) {
    const { key, value } = split(filter);
    check(key, value);
    byKey.set(key, [...(byKey.get(key) ?? []), value]);
  }
  const { ancestor: ancestors = [], ...tested } = Object.fromEntries(byKey);
  return {
    ancestors,
    namesState: byKey.has('status'),
    matches: (box, boxes) =>
      Object.entries(tested).every(([key, values]) =>
        key === 'label'
          ? values.every((value) => TESTS['label']?.(box, value, boxes))
          : values.some((value) => TESTS[key]?.(box, value, boxes)),
      ),
  };
}

function split(filter: string): { key: string; value: string } {
  const equals = filter.indexOf('=');
  if (equals < 0) {
    throw new A3sError('usage', `invalid filter '${filter}'`, { hint: 'write it as key=value' });
  }
  return { key: filter.slice(0, equals).trim().toLowerCase(), value: filter.slice(equals + 1).trim() };
}

function check(key: string, value: string): void {
  if (LATER.has(key)) throw new A3sError('unsupported', `the filter ${key} is not supported yet`);
  if (key !== 'ancestor' && !Object.hasOwn(TESTS, key))
    throw new A3sError('usage', `invalid filter '${key}'`);
  const sound =
    (key !== 'status' || Object.hasOwn(STATES, value)) &&
    (key !== 'exited' || /^\d+$/.test(value)) &&
    (key !== 'health' || HEALTH.has(value)) &&
    ((key !== 'expose' && key !== 'publish') || portRange(value) !== null);
  if (!sound) throw new A3sError('usage', `invalid filter '${key}=${value}'`);
}

/** `80`, `80/udp`, `8000-8080/tcp`; null for what is none. */
function portRange(text: string): { from: number; to: number; protocol: string } | null {
  const [whole, first, last = first, protocol = 'tcp'] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(text) ?? [];
  const range = { from: Number(first), to: Number(last), protocol };
  return whole === undefined || range.from > range.to || range.to > 65_535 ? null : range;
}

function isPort(text: string, port: number, { protocol }: { protocol: string }): boolean {
  const range = portRange(text);
  return range !== null && range.protocol === protocol && range.from <= port && port <= range.to;
}

/** As Docker: a regular expression anywhere in the text; one that does not parse is compared as it is. */
function matchesPattern(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return text === pattern;
  }
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  if (!Object.hasOwn(labels, key)) return false;
  return equals < 0 || labels[key] === wanted.slice(equals + 1);
}
