import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { expect, test } from 'vitest';
import { dirname, join } from 'node:path';

import { discardTemplate } from '../../../src/runtime/templates/ensure.ts';
import {
  findTemplate,
  sealTemplate,
  templateFiles,
  templateName,
  type Template,
  type TemplateInputs,
} from '../../../src/runtime/templates/template.ts';
import { layoutOf, type Layout } from '../../../src/state/layout.ts';
import { temporaryDirectory } from '../../temporary.ts';

const base: TemplateInputs = {
  bundle: 'hash hash',
  qemu: '1:2:3',
  accelerator: { name: 'tcg', cpu: 'max' },
  tscKhz: 2_596_100,
  commandLine: 'console=hvc0',
  shape: { vcpus: 2, memoryMib: 576, shareSlots: 0 },
  rootfs: null,
};
const image: TemplateInputs = { ...base, rootfs: `sha256:${'ab'.repeat(32)}` };

/** A finished template made from `inputs`. */
function makeTemplate(
  inputs: TemplateInputs,
  layout = layoutOf(temporaryDirectory()),
): { layout: Layout; template: Template } {
  const files = templateFiles(join(layout.templatesDir, templateName(inputs)), inputs.rootfs !== null);
  mkdirSync(files.dir, { recursive: true });
  for (const file of [files.memory, files.state, files.scratch]) {
    if (file !== null) writeFileSync(file, 'content', { mode: 0o600 });
  }
  return { layout, template: { ...files, seal: sealTemplate(files, inputs) } };
}

test('a template is named by what it is for', () => {
  expect(templateName(base)).toBe('base-2c-576m-0s-tcg');
  expect(templateName(image)).toBe('image-abababababababab-2c-576m-0s-tcg');
});

test.each([base, image])('a finished template is found, by its inputs alone', (inputs) => {
  const { layout, template } = makeTemplate(inputs);
  expect(findTemplate(layout, inputs)).toEqual(template);
  expect(findTemplate(layout, structuredClone(inputs))).toEqual(template);
});

const otherInputs: Record<keyof TemplateInputs, TemplateInputs> = {
  bundle: { ...image, bundle: 'other' },
  qemu: { ...image, qemu: 'other' },
  accelerator: { ...image, accelerator: { name: 'tcg', cpu: 'qemu64' } },
  tscKhz: { ...image, tscKhz: 1 },
  commandLine: { ...image, commandLine: 'quiet' },
  shape: { ...image, shape: { vcpus: 2, memoryMib: 576, shareSlots: 4 } },
  rootfs: { ...image, rootfs: `sha256:${'ab'.repeat(31)}00` },
};

test.each(Object.entries(otherInputs))('a template made from another %s is not used', (_name, inputs) => {
  const { layout } = makeTemplate(image);
  expect(findTemplate(layout, inputs)).toBeNull();
});

const damage: Record<string, (file: string) => void> = {
  missing: (file) => rmSync(file),
  truncated: (file) => truncateSync(file, 3),
  'written again': (file) => writeFileSync(file, 'content'),
  'altered with its time set back': (file) => {
    const { atime, mtime } = statSync(file);
    writeFileSync(file, 'cOntent');
    utimesSync(file, atime, mtime);
  },
};

test.each(
  Object.keys(damage).flatMap((kind) =>
    (['memory', 'state', 'scratch'] as const).map((file) => [file, kind] as const),
  ),
)('a template whose %s is %s is not used', (file, kind) => {
  const { layout, template } = makeTemplate(image);
  damage[kind]?.(template[file] ?? '');
  expect(findTemplate(layout, image)).toBeNull();
});

test.each([
  ['missing', (seal: string) => rmSync(seal)],
  ['empty', (seal: string) => writeFileSync(seal, '')],
  ['no JSON', (seal: string) => writeFileSync(seal, '{"memory":')],
  ['cut off', (seal: string) => writeFileSync(seal, readFileSync(seal, 'utf8').slice(0, -5))],
  [
    'of another version',
    (seal: string) => writeFileSync(seal, readFileSync(seal, 'utf8').replace(/"format": \d+/, '"format": 0')),
  ],
])('a template whose seal is %s is not used', (_name, breakSeal) => {
  const { layout, template } = makeTemplate(base);
  const seal = join(template.dir, 'template.json');
  chmodSync(seal, 0o600);
  breakSeal(seal);
  expect(findTemplate(layout, base)).toBeNull();
});

test.each(['memory', 'state', 'scratch'] as const)('a template without its %s cannot be sealed', (file) => {
  const { template } = makeTemplate(image);
  rmSync(join(template.dir, 'template.json'));
  rmSync(template[file] ?? '');
  expect(() => sealTemplate(template, image)).toThrow(`${template[file]} is missing`);
});

test('one that did not come up is thrown away, but not what was built in its place', async () => {
  const { layout, template } = makeTemplate(image);
  rmSync(template.dir, { recursive: true });
  const successor = makeTemplate(image, layout).template;
  await discardTemplate(layout, template);
  expect(findTemplate(layout, image)).toEqual(successor);
  await discardTemplate(layout, successor);
  expect(findTemplate(layout, image)).toBeNull();
  expect(existsSync(template.dir)).toBe(false);
});

test('nothing is found where there is nothing', () => {
  const { layout, template } = makeTemplate(base);
  rmSync(dirname(template.dir), { recursive: true });
  expect(findTemplate(layout, base)).toBeNull();
});
