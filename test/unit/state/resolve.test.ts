import { expect, test } from 'vitest';

import { resolveBox } from '../../../src/state/resolve.ts';
import { sampleRecord } from '../../sample-record.ts';

const first = sampleRecord({
  id: 'ddc5b96e-bf9e-4af5-93ba-ee9c70546cd5',
  short_id: 'ddc5b96ebf9e',
  name: 'web',
});
const second = sampleRecord({
  id: 'ddc5a111-bf9e-4af5-93ba-ee9c70546cd5',
  short_id: 'ddc5a111bf9e',
  name: 'db',
});
const named = sampleRecord({
  id: 'aaaaaaaa-bf9e-4af5-93ba-ee9c70546cd5',
  short_id: 'aaaaaaaabf9e',
  name: 'ddc5',
});
const boxes = [first, second, named];

test.each([
  ['the exact name', 'web', first],
  ["Docker's leading slash", '/web', first],
  ['the ID with dashes', first.id, first],
  ['the ID without dashes', first.id.replaceAll('-', ''), first],
  ['the short ID', 'ddc5b96ebf9e', first],
  ['a unique prefix', 'ddc5b', first],
  ['a prefix longer than the short ID', 'ddc5b96ebf9e4a', first],
  ['a prefix with a dash', 'ddc5b96e-bf', first],
  ['a name before an ID that starts so', 'ddc5', named],
])('a box is found by %s', (_, query, expected) => {
  expect(resolveBox(boxes, query)).toBe(expected);
});

test.each(['nosuch', '', '-', '/', 'we', 'DDC5B', 'd-dc5b', 'ddc5b-', 'ddc5b96e-bf9e4af5'])(
  '%j finds nothing',
  (query) => {
    expect(() => resolveBox(boxes, query)).toThrow(
      expect.objectContaining({ code: 'no_such_box', message: `No such container: ${query}` }),
    );
  },
);

test('an ambiguous prefix names the matches', () => {
  expect(() => resolveBox(boxes, 'ddc')).toThrow(
    expect.objectContaining({
      code: 'ambiguous_box',
      message: 'Multiple containers found with prefix ddc: ddc5b96ebf9e (web), ddc5a111bf9e (db)',
    }),
  );
});
