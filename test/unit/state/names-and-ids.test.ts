import { expect, test } from 'vitest';

import { newBoxId, uuid4 } from '../../../src/state/ids.ts';
import { checkName, generateName } from '../../../src/state/names.ts';

test('a generated name is an adjective and a noun', () => {
  expect(generateName(new Set(), () => 0)).toBe('able_acorn');
  for (let n = 0; n < 200; n += 1) expect(generateName(new Set())).toMatch(/^[a-z]+_[a-z]+$/);
});

test('a taken name gets a number after some tries', () => {
  const random = [0, 0.5][Symbol.iterator]();
  expect(random.next().value).toBe(0);
  expect(generateName(new Set(['able_acorn']), sequence(0, 0, 0.999, 0.999))).toBe('zesty_wren');
  const name = generateName(new Set(['able_acorn']), sequence(...Array.from({ length: 14 }, () => 0), 0.37));
  expect(name).toBe('able_acorn37');
});

function sequence(...values: number[]): () => number {
  let next = 0;
  return () => values[next++] ?? 0;
}

test.each(['a1', 'Web-2', 'x.y_z', '0-'])('%j is a name', (name) => {
  expect(() => checkName(name)).not.toThrow();
});

test.each(['a b', 'a', '', '-a', '.a', 'ä1', 'a/b', 'a1\n'])(
  '%j is refused in the words of Docker',
  (name) => {
    expect(() => checkName(name)).toThrow(
      `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  },
);

test('an ID is a random UUID of version 4', () => {
  expect(uuid4(Buffer.alloc(16))).toBe('00000000-0000-4000-8000-000000000000');
  expect(uuid4(Buffer.alloc(16, 255))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
  const { id, shortId } = newBoxId();
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(shortId).toBe(id.replaceAll('-', '').slice(0, 12));
  expect(newBoxId().id).not.toBe(id);
});
