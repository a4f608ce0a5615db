/** `--secret`: buildx's words, and what a secret is in the end. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { openSecrets, parseSecrets } from '../../../../src/build/secrets/secrets.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { refusal } from '../context/fixture.ts';

describe('a flag', () => {
  test.each([
    ['id=a', { id: 'a' }],
    ['id=a,src=./f', { id: 'a', file: './f' }],
    ['type=file,id=a,source=/f', { id: 'a', file: '/f' }],
    ['id=a,env=TOKEN', { id: 'a', variable: 'TOKEN' }],
    ['id=a,type=env,src=TOKEN', { id: 'a', variable: 'TOKEN' }],
    ['ID=a,Src=f', { id: 'a', file: 'f' }],
    ['id=a,"src=with,comma"', { id: 'a', file: 'with,comma' }],
    ['id=a,src=b=c', { id: 'a', file: 'b=c' }],
  ])('%j is read', (value, source) => {
    expect(parseSecrets(['', value])).toEqual([source]);
  });

  test.each([
    ['a', "invalid field 'a' must be a key=value pair"],
    ['id=a,type=x', 'unsupported secret type "x"'],
    ['id=a,mode=0400', "unexpected key 'mode' in 'mode=0400'"],
    ['id="a', 'failed to parse csv secret: parse error on line 1, column 4: bare " in non-quoted-field'],
  ])('%j is refused', (value, message) => {
    expect(() => parseSecrets([value])).toThrow(message);
  });
});

describe('a secret', () => {
  async function open(
    values: string[],
    env: Record<string, string> = {},
  ): Promise<Awaited<ReturnType<typeof openSecrets>> & { cwd: string }> {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'file'), 'from a file');
    writeFileSync(join(cwd, 'large'), Buffer.alloc(500 * 1024 + 1));
    mkdirSync(join(cwd, 'directory'));
    return { ...(await openSecrets(parseSecrets(values), { cwd, env })), cwd };
  }
  const text = async (secrets: Awaited<ReturnType<typeof open>>, id: string): Promise<string | undefined> =>
    (await secrets.read(id))?.toString();

  test('is what a file or a variable holds', async () => {
    const secrets = await open(['id=a,src=file', 'id=b,env=B', 'id=none,env=NONE'], {
      B: 'from the environment',
    });
    expect(await text(secrets, 'a')).toBe('from a file');
    expect(await text(secrets, 'b')).toBe('from the environment');
    expect(await text(secrets, 'none')).toBe('');
    expect([secrets.has('a'), secrets.has('x')]).toEqual([true, false]);
    expect(await text(secrets, 'x')).toBeUndefined();
  });

  test('with an ID alone is the variable of that name, or else the file', async () => {
    expect(await text(await open(['id=file']), 'file')).toBe('from a file');
    expect(await text(await open(['id=file'], { file: 'variable' }), 'file')).toBe('variable');
  });

  test('is read when it is needed', async () => {
    const secrets = await open(['id=a,src=file']);
    writeFileSync(join(secrets.cwd, 'file'), 'changed');
    expect(await text(secrets, 'a')).toBe('changed');
  });

  test('of an ID that is given twice is the last one', async () => {
    expect(await text(await open(['id=a,src=file', 'id=a,env=A'], { A: 'last' }), 'a')).toBe('last');
  });

  test.each([
    ['src=file', 'secret missing ID'],
    ['id=a,src=none', 'failed to stat none: stat none: no such file or directory'],
    ['id=a,src=large', 'secret a too big. max size 500KiB'],
  ])('%j is refused before the build begins', async (value, message) => {
    expect(await refusal(open([value]))).toBe(message);
  });

  test('that cannot be read is refused when it is needed', async () => {
    const secrets = await open(['id=a,src=directory', 'id=b,env=B'], { B: 'b'.repeat(500 * 1024 + 1) });
    expect(await refusal(secrets.read('a'))).toBe('open directory: is a directory');
    expect(await refusal(secrets.read('b'))).toBe('invalid secret size 512001');
  });
});
