import { describe, expect, test } from 'vitest';

import { applyChanges } from '../../../src/images/changes.ts';

describe('applyChanges', () => {
  test.each<[string, string[], object]>([
    ['CMD in the JSON form', ['CMD ["a","b c"]'], { Cmd: ['a', 'b c'] }],
    ['CMD for a shell', ['cmd echo "$HOME"'], { Cmd: ['/bin/sh', '-c', 'echo "$HOME"'] }],
    [
      'ENTRYPOINT takes the old arguments away',
      ['CMD ["x"]', 'ENTRYPOINT ["e"]'],
      { Cmd: null, Entrypoint: ['e'] },
    ],
    [
      'ENV in both forms, the last one wins',
      ['ENV A=1 B="2 3" C=\'4 5\' D=6\\ 7', 'ENV A 8 9'],
      {
        Env: ['B=2 3', 'C=4 5', 'D=6 7', 'A=8 9'],
      },
    ],
    [
      'EXPOSE',
      ['EXPOSE 80 53/udp 7000-7002'],
      { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '7000-7002/tcp': {} } },
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

  test.each([
    ['RUN x', 'run is not a valid change command'],
    ['', ' is not a valid change command'],
    ['constructor x', 'constructor is not a valid change command'],
    ['ENV', 'ENV requires at least one argument'],
    ['ENV A', 'ENV must have two arguments'],
    ['ENV A=1 B', 'Syntax error - can\'t find = in "B". Must be of the form: name=value'],
    ['CMD ["a"', 'not a JSON array of strings: ["a"'],
    ['CMD [1]', 'not a JSON array of strings: [1]'],
    ['EXPOSE x', 'Invalid containerPort: x'],
  ])('refuses %j', (change, message) => {
    expect(() => applyChanges({}, [change])).toThrow(message);
  });
});
