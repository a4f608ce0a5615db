import { join } from 'node:path';
import { expect, test } from 'vitest';

import { checkHome } from '../../../src/state/layout.ts';
import { temporaryDirectory } from '../../temporary.ts';

test.each(['/proc/nosuch', '/proc/nosuch/deeper', '/proc/self/nosuch'])(
  'a state directory %s is refused, because none can be made there',
  (home) => {
    expect(() => checkHome(home)).toThrow(
      `the state directory ${home} cannot be made: it would lie in /proc`,
    );
  },
);

test('a state directory that is there, or can be made, is fine', () => {
  const home = temporaryDirectory();
  for (const path of [home, join(home, 'not', 'yet'), '/']) expect(() => checkHome(path)).not.toThrow();
});
