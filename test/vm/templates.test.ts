import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';

import { sealTemplate, templateFiles, type TemplateInputs } from '../../src/runtime/templates/template.ts';
import { boxesOf } from '../e2e/fixture/boxes.ts';
import { a3s } from '../e2e/fixture/cli.ts';
import { home } from '../e2e/fixture/home.ts';
import { templateHashes } from '../e2e/fixture/template-hashes.ts';
import { discardTemplates, templateOf, templatesOf, warmTemplates } from './fixture/templates.ts';

boxesOf('template');

/** A run whose answer can only come from a sound VM. */
async function runsRight(env: NodeJS.ProcessEnv = {}): Promise<void> {
  const script = 'echo $((6 * 7)); sha256sum /bin/busybox; echo err >&2; exit 9';
  const { status, out, err } = await a3s(['run', '--rm', 'a3s/base', 'sh', '-c', script], { env });
  expect({ status, err }).toEqual({ status: 9, err: 'err\n' });
  expect(out).toMatch(/^42\n[0-9a-f]{64} {2}\/bin\/busybox\n$/);
}

/** Changes one page of a file in place. */
function overwrite(file: string): void {
  chmodSync(file, 0o600);
  const fd = openSync(file, 'r+');
  writeSync(fd, Buffer.alloc(4096, 0xa5), 0, 4096, 8192);
  closeSync(fd);
}

const damages: Record<string, (file: string) => void> = {
  missing: (file) => rmSync(file),
  truncated: (file) => {
    chmodSync(file, 0o600);
    truncateSync(file, Math.floor(statSync(file).size / 2));
  },
  altered: overwrite,
  'altered, with its time set back': (file) => {
    const { atime, mtime } = statSync(file);
    overwrite(file);
    utimesSync(file, atime, mtime);
  },
};

afterEach(() => warmTemplates());

test('one template of each kind serves every run of an image', async () => {
  const before = await templateHashes(home());
  expect([templatesOf('base').length, templatesOf('image').length]).toEqual([1, 1]);
  for (let n = 0; n < 5; n += 1) await runsRight();
  expect(await templateHashes(home())).toEqual(before);
});

describe('an image template that cannot be trusted is made again, and the run goes on without it', () => {
  test.each([
    ['memory', 'truncated'],
    ['memory', 'missing'],
    ['memory', 'altered'],
    ['state', 'truncated'],
    ['state', 'missing'],
    ['state', 'altered, with its time set back'],
    ['scratch.qcow2', 'truncated'],
    ['scratch.qcow2', 'missing'],
    ['scratch.qcow2', 'altered'],
    ['template.json', 'truncated'],
    ['template.json', 'missing'],
  ])('%s %s', async (file, kind) => {
    const template = templateOf('image');
    const seal = readFileSync(join(template, 'template.json'), 'utf8');
    damages[kind]?.(join(template, file));
    await runsRight();
    await warmTemplates((found) => readFileSync(join(found, 'template.json'), 'utf8') !== seal);
    expect(templatesOf('image')).toEqual([template]);
    await runsRight();
  });
});

describe('a base template that cannot be trusted is booted again', () => {
  test.each([
    ['memory', 'altered'],
    ['state', 'truncated'],
    ['template.json', 'missing'],
  ])('%s %s', async (file, kind) => {
    const template = templateOf('base');
    discardTemplates('image');
    damages[kind]?.(join(template, file));
    await runsRight();
    expect(templatesOf('base')).toEqual([template]);
  });
});

describe('an image template that looks sound and is not is thrown away, and the run goes on without it', () => {
  test.each([
    ['memory', (file: string) => truncateSync(file, 0)],
    ['state', (file: string) => writeFileSync(file, 'QEVM, but no more')],
    ['scratch.qcow2', (file: string) => writeFileSync(file, 'no qcow2')],
  ])('%s', async (name, damage) => {
    const dir = templateOf('image');
    const file = join(dir, name);
    const { size } = statSync(file);
    for (const each of [file, join(dir, 'template.json')]) chmodSync(each, 0o600);
    damage(file);
    // Memory as large as it was, and all zeroes.
    if (name === 'memory') truncateSync(file, size);
    const { inputs }: { inputs: TemplateInputs } = JSON.parse(
      readFileSync(join(dir, 'template.json'), 'utf8'),
    );
    sealTemplate(templateFiles(dir, true), inputs);
    await runsRight({ A3S_BOX_BOOT_TIMEOUT: '20' });
  });
});

test('an unfinished build of a process that is gone is swept away', async () => {
  const litter = join(home(), 'templates', '.build-4194305-1');
  mkdirSync(litter);
  writeFileSync(join(litter, 'memory'), 'half');
  discardTemplates('image');
  await warmTemplates();
  expect(statSync(litter, { throwIfNoEntry: false })).toBeUndefined();
  expect(basename(templateOf('image'))).toMatch(/^image-/);
});
