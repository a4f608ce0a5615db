import { expect, test } from 'vitest';

import { mergeEnv, workloadOf } from '../../../src/engine/workload.ts';
import { parseConfig } from '../../../src/images/config.ts';
import { createOptions } from './fixture/engine.ts';

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function config(config: object) {
  return parseConfig({ architecture: 'amd64', os: 'linux', config, rootfs: { diff_ids: [] } });
}

const image = config({ Entrypoint: ['/entry'], Cmd: ['serve'] });

test.each([
  ['nothing', {}, ['/entry'], ['serve']],
  ['a command', { cmd: ['a', 'b'] }, ['/entry'], ['a', 'b']],
  ['an entrypoint', { entrypoint: ['/x'] }, ['/x'], []],
  ['both', { entrypoint: ['/x'], cmd: ['a'] }, ['/x'], ['a']],
  ['an empty entrypoint and a command', { entrypoint: [], cmd: ['a'] }, [], ['a']],
])('%s given: entrypoint and command as in Docker', (_, options, entrypoint, cmd) => {
  expect(workloadOf(createOptions(options), image)).toMatchObject({ entrypoint, cmd });
});

test.each([
  ['an image without any', {}, config({})],
  ['an entrypoint that was cleared', { entrypoint: [] }, image],
])('no command, because of %s, is an error', (_, options, imageConfig) => {
  expect(() => workloadOf(createOptions(options), imageConfig)).toThrow('no command specified');
});

test("the image's settings stand until the caller sets others", () => {
  const settings = config({
    Cmd: ['sh'],
    User: 'app',
    WorkingDir: '/srv',
    StopSignal: 'SIGQUIT',
    Labels: { a: '1', b: '2' },
  });
  expect(workloadOf(createOptions(), settings)).toMatchObject({
    user: 'app',
    working_dir: '/srv',
    stop_signal: 'SIGQUIT',
    labels: { a: '1', b: '2' },
  });
  const options = { user: '0', workingDir: '/tmp/', stopSignal: 'INT', labels: { b: '3' } };
  expect(workloadOf(createOptions(options), settings)).toMatchObject({
    user: '0',
    working_dir: '/tmp/',
    stop_signal: 'INT',
    labels: { a: '1', b: '3' },
  });
});

test('the defaults are those of Docker', () => {
  const workload = workloadOf(createOptions(), config({ Cmd: ['sh'] }));
  expect(workload).toEqual({
    entrypoint: [],
    cmd: ['sh'],
    env: [DEFAULT_PATH],
    user: '',
    working_dir: '/',
    labels: {},
    stop_signal: 'SIGTERM',
  });
});

test('a working directory that is not absolute is refused', () => {
  expect(() => workloadOf(createOptions({ workingDir: 'x' }), image)).toThrow(
    "the working directory 'x' is invalid, it needs to be an absolute path",
  );
});

test('later variables replace earlier ones, and a bare name removes one', () => {
  expect(mergeEnv(['PATH=/bin', 'A=1', 'B=2'], ['A=x=y', 'C=', 'B', 'A=3'])).toEqual([
    'PATH=/bin',
    'A=3',
    'C=',
  ]);
});
