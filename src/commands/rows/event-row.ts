/** An event as `events` shows it: a line, Docker's JSON, or what a template sees. */
import type { DatedEvent } from '../../engine/events.ts';
import { rfc3339 } from '../../output/local-time.ts';

const NS_PER_S = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;

/** `2026-11-20T21:21:36.091055504Z container create ID (image=…, name=…)`, attributes sorted. */
export function eventLine(event: DatedEvent): string {
  const attributes = sorted(event.attributes).map(([name, value]) => `${name}=${value}`);
  const list = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return `${localNanoseconds(event.time)} ${event.type} ${event.action} ${event.id}${list}`;
}

/** In the fields of Docker's API 1.51; nanoseconds are more than a number of JavaScript's holds. */
export function eventJson(event: DatedEvent): string {
  const text = JSON.stringify({ ...eventFields(event), timeNano: 0 });
  return text.replace(/"timeNano":0\}$/, `"timeNano":${event.time}}`);
}

function eventFields({ type, action, id, attributes, time }: DatedEvent) {
  const old = {
    ...(type === 'volume' ? {} : { status: action, id }),
    ...(type === 'container' ? { from: attributes['image'] ?? '' } : {}),
  };
  return {
    ...old,
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: Object.fromEntries(sorted(attributes)) },
    scope: 'local',
    time: Number(time / NS_PER_S),
  };
}

/** Fields by the names of Docker's type, for templates. */
export function eventView(event: DatedEvent) {
  const fields = eventFields(event);
  return {
    Status: fields.status ?? '',
    ID: fields.id ?? '',
    From: fields.from ?? '',
    Type: fields.Type,
    Action: fields.Action,
    Actor: fields.Actor,
    Scope: fields.scope,
    Time: fields.time,
    TimeNano: String(event.time),
  };
}

function sorted(attributes: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Always nine digits (moby, RFC3339NanoFixed), in the reader's own zone. */
function localNanoseconds(time: bigint): string {
  const fraction = String(time % NS_PER_S).padStart(9, '0');
  return rfc3339(new Date(Number(time / NS_PER_MS))).replace(/(T\d\d:\d\d:\d\d)/, `$1.${fraction}`);
}
