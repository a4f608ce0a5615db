import { expect, test } from 'vitest';

import { checkWritable } from '../../../../src/engine/copy/read-only.ts';
import { sampleBind } from '../../../sample-record.ts';

const volumes = [
  sampleBind('/srv', '/data'),
  sampleBind('/srv/fixed', '/data/fixed', { read_only: true }),
  sampleBind('/srv/inner', '/data/fixed/inner'),
];

test.each([
  [false, '/etc', null],
  [false, '/data/fixed', 'mounted volume is marked read-only'],
  [false, '/data/fixed/below', 'mounted volume is marked read-only'],
  [false, '/data/fixed/inner/x', null],
  [true, '/etc', 'container rootfs is marked read-only'],
  [true, '/', 'container rootfs is marked read-only'],
  [true, '/database', 'container rootfs is marked read-only'],
  [true, '/data', null],
  [true, '/data/..name', null],
  [true, '/data/fixed', 'mounted volume is marked read-only'],
])('read-only root %s: into %s', (read_only, directory, message) => {
  const check = (): void => checkWritable({ read_only, volumes }, directory);
  if (message === null) expect(check).not.toThrow();
  else expect(check).toThrow(expect.objectContaining({ code: 'invalid_config', message }));
});
