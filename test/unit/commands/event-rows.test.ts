import { expect, test } from 'vitest';

import { eventJson, eventLine } from '../../../src/commands/rows/event-row.ts';

const event = {
  time: 1_763_673_696_091_055_504n,
  type: 'container',
  action: 'create',
  id: '7cfd',
  attributes: { name: 'vigilant_mendel', image: 'imp:1' },
} as const;

test('an event is a line and a JSON object as docker’s', () => {
  expect(eventLine(event)).toMatch(
    /^2025-11-2\dT\d\d:\d\d:36\.091055504(Z|[+-]\d\d:\d\d) container create 7cfd \(image=imp:1, name=vigilant_mendel\)$/,
  );
  expect(eventJson(event)).toBe(
    '{"status":"create","id":"7cfd","from":"imp:1","Type":"container","Action":"create",' +
      '"Actor":{"ID":"7cfd","Attributes":{"image":"imp:1","name":"vigilant_mendel"}},' +
      '"scope":"local","time":1763673696,"timeNano":1763673696091055504}',
  );
});

test('an event of a volume has no status of its own', () => {
  expect(eventJson({ ...event, type: 'volume', id: 'v', attributes: { driver: 'local' } })).toBe(
    '{"Type":"volume","Action":"create","Actor":{"ID":"v","Attributes":{"driver":"local"}},' +
      '"scope":"local","time":1763673696,"timeNano":1763673696091055504}',
  );
});
