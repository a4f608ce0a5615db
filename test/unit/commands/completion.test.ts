import { expect, test } from 'vitest';

import { candidates } from '../../../src/commands/completion/candidates.ts';

const NAMES = { box: ['web', 'worker'], image: ['alpine:3', 'web:1'], volume: ['data'] };
const complete = (...words: string[]) => candidates(words, (noun) => Promise.resolve(NAMES[noun]));

test.for<[string[], string[]]>([
  [['vers'], ['version']],
  [['cont'], ['container']],
  [['volume', 'p'], ['prune']],
  [['run', '--read'], ['--read-only']],
  [['run', '--userns'], []],
  [['run', ''], NAMES.image],
  [['run', '--rm', 'al'], ['alpine:3']],
  [['run', '--name', ''], []],
  [['run', '-it', '--name', 'x', 'w'], ['web:1']],
  [['run', '--name=x', 'w'], ['web:1']],
  [['run', 'alpine:3', ''], []],
  [
    ['rm', 'web', 'w'],
    ['web', 'worker'],
  ],
  [['container', 'logs', '-f', 'we'], ['web']],
  [['exec', '-it', ''], NAMES.box],
  [['volume', 'rm', ''], ['data']],
  [
    ['buildx', ''],
    ['build', 'du', 'prune'],
  ],
  [
    ['build', '--bui'],
    ['--build-arg', '--build-context'],
  ],
  [['build', '-t', 'al'], ['alpine:3']],
  [['image', 'build', '--progress', 'p'], ['plain']],
  [['build', '--progress=t'], ['--progress=tty']],
  [
    ['build', '--call', ''],
    ['build', 'check', 'outline', 'targets'],
  ],
  // The shell offers files.
  [['build', '-f', ''], []],
  [['build', '--file=D'], []],
  [['build', '-t', 'x', ''], []],
  [['nosuch', ''], []],
])('%j', async ([words, expected]) => {
  expect(await complete(...words)).toEqual(expected);
});
