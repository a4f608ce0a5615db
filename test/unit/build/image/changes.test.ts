import { describe, expect, test } from 'vitest';

import { applyChanges } from '../../../../src/build/image/changes.ts';

describe('applyChanges', () => {
  test.each<[string, string[], object]>([
    ['CMD in the JSON form', ['CMD ["a","b c"]'], { Cmd: ['a', 'b c'] }],
    ['CMD for a shell', ['cmd echo "$HOME"'], { Cmd: ['/bin/sh', '-c', 'echo "$HOME"'] }],
    [
      'ENTRYPOINT leaves a CMD of the same change',
      ['CMD ["x"]', 'ENTRYPOINT ["e"]'],
      { Cmd: ['x'], Entrypoint: ['e'] },
    ],
    ['what is no JSON is for the shell', ['CMD ["a"'], { Cmd: ['/bin/sh', '-c', '["a"'] }],
    [
      'HEALTHCHECK',
      ['HEALTHCHECK --interval=2s CMD true'],
      { Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 2_000_000_000 } },
    ],
    [
      'variables that were there or were set',
      ['ENV A=1', 'ENV B=$A.${C:-3}', 'WORKDIR /$B'],
      { Env: ['A=1', 'B=1.3'], WorkingDir: '/1.3' },
    ],
    [
      'ENV in both forms, the last one wins',
      ['ENV A=1 B="2 3" C=\'4 5\' D=6\\ 7', 'ENV A 8 9'],
      {
        Env: ['A=8 9', 'B=2 3', 'C=4 5', 'D=6 7'],
      },
    ],
    [
      'EXPOSE',
      ['EXPOSE 80 53/udp 7000-7002'],
      { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '7000/tcp': {}, '7001/tcp': {}, '7002/tcp': {} } },
    ],
    ['LABEL', ['LABEL a=b "c d"="e f"'], { Labels: { a: 'b', 'c d': 'e f' } }],
    [
      'VOLUME in both forms',
      ['VOLUME /a /b', 'VOLUME ["/c d"]'],
      { Volumes: { '/a': {}, '/b': {}, '/c d': {} } },
    ],
    ['WORKDIR goes on from the one before', ['WORKDIR /a', 'WORKDIR b/../c'], { WorkingDir: '/a/c' }],
    [
      'USER, STOPSIGNAL, ONBUILD',
      ['USER 1:2', 'STOPSIGNAL SIGINT', 'ONBUILD RUN x', 'ONBUILD RUN y'],
      {
        User: '1:2',
        StopSignal: 'SIGINT',
        OnBuild: ['RUN x', 'RUN y'],
      },
    ],
  ])('%s', (_what, changes, expected) => {
    expect(applyChanges({}, changes)).toEqual(expected);
  });

  test('ENTRYPOINT takes the arguments of the old one away; what nobody knows stays', () => {
    const config = { Cmd: ['sh'], Hostname: 'h', Env: ['A=1'], Labels: { a: 'b' } };
    expect(applyChanges(config, ['ENTRYPOINT ["e"]', 'LABEL c=$A'])).toEqual({
      ...config,
      Cmd: null,
      Entrypoint: ['e'],
      Labels: { a: 'b', c: '1' },
    });
    expect(applyChanges(config, [])).toBe(config);
  });

  test.each([
    ['RUN x', 'run is not a valid change command'],
    ['', 'file with no instructions'],
    ['FROM x', 'from is not a valid change command'],
    ['constructor x', 'constructor is not a valid change command'],
    ['ENV', 'ENV requires at least one argument'],
    ['ENV A', 'ENV must have two arguments'],
    ['ENV A=1 B', 'Syntax error - can\'t find = in "B". Must be of the form: name=value'],
    ['EXPOSE x', 'invalid containerPort: x'],
    ['STOPSIGNAL NOPE', 'invalid signal: NOPE'],
  ])('refuses %j', (change, message) => {
    expect(() => applyChanges({}, [change])).toThrow(message);
  });
});
