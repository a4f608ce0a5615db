import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';

import { temporaryDirectory } from '../../../temporary.ts';
import { testEngine, type TestEngine } from '../../engine/fixture/engine.ts';
import { type Answer, call } from '../bad-input/calls.ts';

const DOCKERFILE = `# version what is built
ARG version=1
# base where all begins
FROM a3s/base as base
ARG version
ARG unused
RUN --mount=type=secret,id=token,required=true --mount=type=ssh true

# app is the thing
FROM base AS app
ARG flavour=sweet
CMD run
`;

let engine: TestEngine;
let context: string;

beforeEach(() => {
  engine = testEngine();
  context = join(temporaryDirectory(), 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), DOCKERFILE);
});

function run(...args: string[]): Promise<Answer> {
  return call(['build', ...args, context], engine, {});
}

describe('--check', () => {
  test('prints what it finds, and the status is 1', async () => {
    expect(await run('--check')).toEqual({
      status: 1,
      stderr: '',
      stdout: `Check complete, 2 warnings have been found!

WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/
'as' and 'FROM' keywords' casing do not match
Dockerfile:4
--------------------
   2 |     ARG version=1
   3 |     # base where all begins
   4 | >>> FROM a3s/base as base
   5 |     ARG version
   6 |     ARG unused
--------------------

WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/
JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
Dockerfile:12
--------------------
  10 |     FROM base AS app
  11 |     ARG flavour=sweet
  12 | >>> CMD run
  13 |     
--------------------
`,
    });
  });

  test('finds nothing', async () => {
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY x /\n');
    expect(await run('--check')).toEqual({
      status: 0,
      stderr: '',
      stdout: 'Check complete, no warnings found.\n',
    });
  });

  test('knows what the context leaves out', async () => {
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY x /\n');
    writeFileSync(join(context, '.dockerignore'), 'x\n');
    const { status, stdout } = await run('--call=check,ignorestatus=true');
    expect(status).toBe(0);
    expect(stdout).toContain('Attempting to Copy file "x" that is excluded by .dockerignore');
  });

  test('tells of an error below what it found', async () => {
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch as x\nBADCMD\n');
    const { status, stdout, stderr } = await run('--check');
    expect(status).toBe(1);
    expect(stdout).toContain('Check complete, 1 warning has been found!\n');
    expect(stderr).toBe(`Dockerfile:2
--------------------
   1 |     FROM scratch as x
   2 | >>> BADCMD
   3 |     
--------------------
ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: BADCMD
`);
  });

  test('tells of findings that are errors', async () => {
    writeFileSync(join(context, 'Dockerfile'), '# check=error=true\nFROM scratch as x\n');
    const { status, stderr } = await run('--check');
    expect([status, stderr]).toEqual([
      1,
      'ERROR: failed to solve: lint violation found for rules: FromAsCasing\n',
    ]);
  });

  test('in JSON', async () => {
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch as x\nBADCMD\n');
    const { status, stdout, stderr } = await run('--call=lint,format=json');
    expect([status, stderr]).toEqual([1, '']);
    const range = (line: number) => ({ ranges: [{ start: { line }, end: { line } }] });
    expect(JSON.parse(stdout)).toEqual({
      warnings: [
        {
          ruleName: 'FromAsCasing',
          description: "The 'as' keyword should match the case of the 'from' keyword",
          url: 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
          detail: "'as' and 'FROM' keywords' casing do not match",
          location: range(1),
        },
      ],
      sources: [
        {
          filename: 'Dockerfile',
          language: 'Dockerfile',
          data: Buffer.from('FROM scratch as x\nBADCMD\n').toString('base64'),
        },
      ],
      buildError: {
        message: 'dockerfile parse error on line 2: unknown instruction: BADCMD',
        location: range(2),
      },
    });
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\n');
    expect(JSON.parse((await run('--call=lint,format=json')).stdout)).toMatchObject({ warnings: null });
  });
});

describe('--call=targets', () => {
  test('lists stages', async () => {
    expect(await run('--call=targets')).toEqual({
      status: 0,
      stderr: '',
      stdout: `TARGET        DESCRIPTION
base          where all begins
app (default) is the thing
`,
    });
  });

  test('in JSON', async () => {
    const { stdout } = await run('--call=targets,format=json');
    const targets = [
      {
        name: 'base',
        description: 'where all begins',
        base: 'a3s/base',
        location: { ranges: [{ start: { line: 4 }, end: { line: 4 } }] },
      },
      {
        name: 'app',
        default: true,
        description: 'is the thing',
        base: 'base',
        location: { ranges: [{ start: { line: 10 }, end: { line: 10 } }] },
      },
    ];
    const data = Buffer.from(DOCKERFILE).toString('base64');
    expect(JSON.parse(stdout)).toEqual({ targets, sources: [data] });
  });
});

describe('--call=outline', () => {
  test('lists what a build takes', async () => {
    expect(await run('--call=outline', '--build-arg', 'flavour=sour')).toEqual({
      status: 0,
      stderr: '',
      stdout: `TARGET:      app
DESCRIPTION: is the thing

BUILD ARG   VALUE   DESCRIPTION
version     1       what is built
unused              
flavour     sour    

SECRET   REQUIRED
token    true

SSH       REQUIRED
default   

`,
    });
  });

  test('of a stage', async () => {
    const { stdout } = await run('--call=outline', '--target', 'base');
    expect(stdout).toContain('TARGET:      base\n');
    expect(stdout).not.toContain('flavour');
  });

  test('of a Dockerfile that cannot be understood is an error', async () => {
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nBADCMD\n');
    const { status, stdout, stderr } = await run('--call=outline');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(
      'ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: BADCMD\n',
    );
  });
});
