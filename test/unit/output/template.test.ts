import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { compile, TemplateError } from '../../../src/output/template/template.ts';

interface Golden {
  template: string;
  output?: string;
  error?: string;
}

/** What `docker inspect -f` (client 28.2) made of each template on the object below. */
const golden: Golden[] = JSON.parse(readFileSync(new URL('template-golden.json', import.meta.url), 'utf8'));

const map = (entries: object) => new Map<string, unknown>(Object.entries(entries));
const subject = {
  Id: 'd'.repeat(64),
  Name: '/d1',
  State: { Status: 'running', Running: true, Pid: 12, ExitCode: 0 },
  Config: {
    Hostname: 'x',
    Env: ['A=1', 'B=2'],
    Cmd: ['sleep', '1000'],
    Labels: map({ 'a.b': 'c', z: 'y' }),
    Tty: false,
  },
  HostConfig: { Memory: 33_554_432, NanoCpus: 1_500_000_000 },
  NetworkSettings: {
    Ports: map({
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '53/udp': [],
    }),
  },
};

/** The output, or the message of the error. */
function run(template: string): Omit<Golden, 'template'> {
  try {
    return { output: compile(template).run(subject) };
  } catch (error) {
    if (error instanceof TemplateError) return { error: error.message };
    throw error;
  }
}

describe("docker's answers", () => {
  test.each(golden)('$template', ({ template, output, error }) => {
    expect(run(template)).toEqual(error === undefined ? { output } : { error });
  });
});

test('the type of the value is named where it is known', () => {
  expect(() => compile('{{.Foo}}', '', '*formatter.ContainerContext').run({ ID: '1' })).toThrow(
    `:1:2: executing "" at <.Foo>: can't evaluate field Foo in type *formatter.ContainerContext`,
  );
});

test('positions count bytes in the line', () => {
  expect(() => compile('é\nü{{.Foo}}').run({})).toThrow(':2:4: executing "" at <.Foo>');
});

test('fields of the prototype are no fields', () => {
  expect(() => compile('{{.constructor}}').run({})).toThrow('no entry for key "constructor"');
  expect(() => compile('{{constructor}}')).toThrow('function "constructor" not defined');
});

test('headings pass through functions unchanged', () => {
  expect(compile('{{upper .Names}}\t{{json .ID}}').heading({ Names: 'Names', ID: 'ID' })).toBe('Names\tID');
});
