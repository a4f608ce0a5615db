/** Filters of `events` (moby, daemon/events/filter.go): values of one key are alternatives, different keys must all match. Pure. */
import { A3sError } from '../errors.ts';
import type { DatedEvent } from '../state/journal.ts';

type Test = (event: DatedEvent, value: string) => boolean;

/** A box or image is meant by its ID, the start of it, or its name. */
const named =
  (type: DatedEvent['type']): Test =>
  (event, value) =>
    event.type === type &&
    value !== '' &&
    (event.id.startsWith(value) || event.id === `sha256:${value}` || event.attributes['name'] === value);

const TESTS: Readonly<Record<string, Test>> = {
  container: named('container'),
  event: ({ action }, value) => action === value || action.startsWith(`${value}:`),
  image: (event, value) =>
    named('image')(event, value) ||
    stem(event.id) === value ||
    (event.type === 'container' &&
      (event.attributes['image'] === value || stem(event.attributes['image'] ?? '') === value)),
  label: ({ attributes }, value) => {
    const equals = value.indexOf('=');
    const name = equals < 0 ? value : value.slice(0, equals);
    return Object.hasOwn(attributes, name) && (equals < 0 || attributes[name] === value.slice(equals + 1));
  },
  scope: (_event, value) => value === 'local',
  type: ({ type }, value) => type === value,
  volume: ({ type, id }, value) => type === 'volume' && id.startsWith(value),
};
/** Docker's keys for what never happens here. */
const NEVER = ['config', 'daemon', 'network', 'node', 'plugin', 'secret', 'service'];

/** An image's name without its tag. */
function stem(name: string): string {
  return name.replace(/:[^/:]*$/, '');
}

/**
 * @param filters `key=value`
 * @throws A3sError `usage` in Docker's words.
 */
export function parseEventFilters(filters: readonly string[]): (event: DatedEvent) => boolean {
  const wanted = new Map<string, string[]>();
  for (const filter of filters) {
    const equals = filter.indexOf('=');
    const key = filter.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    if (!Object.hasOwn(TESTS, key) && !NEVER.includes(key)) {
      throw new A3sError('invalid_config', `invalid filter '${key}'`);
    }
    wanted.set(key, [...(wanted.get(key) ?? []), filter.slice(equals + 1).trim()]);
  }
  return (event) =>
    [...wanted].every(([key, values]) =>
      key === 'label'
        ? values.every((value) => TESTS[key]?.(event, value))
        : values.some((value) => TESTS[key]?.(event, value)),
    );
}
