import { describe, expect, test } from 'vitest';

import { renderListing, type Listing } from '../../../src/output/listing.ts';

interface Subject {
  id: string;
  name: string;
  labels: Record<string, string>;
}

const listing: Listing<Subject> = {
  fields: {
    ID: { heading: 'CONTAINER ID', value: ({ id }) => id },
    Names: { heading: 'NAMES', value: ({ name }) => name },
    Platform: { heading: 'PLATFORM', value: () => null },
  },
  methods: {
    Label: { heading: (key) => key, value: ({ labels }, key) => labels[key] ?? '' },
  },
  table: ['ID', 'Names'],
  id: 'ID',
  typeName: 'ContainerContext',
};
const subjects: Subject[] = [
  { id: 'aaaaaaaaaaaa', name: 'd1', labels: { a: 'b' } },
  { id: 'bbbbbbbbbbbb', name: 'x->y', labels: {} },
];
const render = (format?: string, quiet = false) => renderListing(listing, subjects, { format, quiet });

describe('formats', () => {
  test('a table, with its heading even without rows', async () => {
    const table = 'CONTAINER ID   NAMES\naaaaaaaaaaaa   d1\nbbbbbbbbbbbb   x->y\n';
    expect(await render()).toBe(table);
    expect(await render('table')).toBe(table);
    expect(await renderListing(listing, [], { format: undefined, quiet: false })).toBe(
      'CONTAINER ID   NAMES\n',
    );
  });

  test('quiet prints the IDs, and nothing without rows', async () => {
    expect(await render(undefined, true)).toBe('aaaaaaaaaaaa\nbbbbbbbbbbbb\n');
    expect(await renderListing(listing, [], { format: undefined, quiet: true })).toBe('');
  });

  test('json is one sorted, escaped object a line', async () => {
    const json =
      '{"ID":"aaaaaaaaaaaa","Names":"d1","Platform":null}\n{"ID":"bbbbbbbbbbbb","Names":"x-\\u003ey","Platform":null}\n';
    expect(await render('json')).toBe(json);
    expect(await render('{{json .}}')).toBe(json);
  });

  test('a template runs once a row; backslash escapes are read', async () => {
    expect(await render('{{.ID}}\\t{{json .Names}} {{.Platform}}')).toBe(
      'aaaaaaaaaaaa\t"d1" <nil>\nbbbbbbbbbbbb\t"x->y" <nil>\n',
    );
    expect(await render('plain')).toBe('plain\nplain\n');
  });

  test('a table of a template gets the headings of its fields', async () => {
    expect(await render('table {{upper .Names}}\\t{{.Label "a"}}')).toBe(
      'NAMES     a\nD1        b\nX->Y      \n',
    );
  });
});

describe('templates that fail', () => {
  test.each([
    ['{{foo}}', 'failed to parse template: template: :1: function "foo" not defined'],
    ['{{', 'failed to parse template: template: :1: unclosed action'],
    [
      '{{.Foo}}',
      `failed to execute template: template: :1:2: executing "" at <.Foo>: can't evaluate field Foo in type *formatter.ContainerContext`,
    ],
  ])('%s', async (format, message) => {
    await expect(render(format)).rejects.toThrow(message);
  });
});
