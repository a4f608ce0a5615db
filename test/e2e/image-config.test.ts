import { describe, expect, test } from 'vitest';

import { boxesOf } from './fixture/boxes.ts';
import { a3s, a3sOk } from './fixture/cli.ts';
import { imagesOf } from './fixture/images.ts';
import { staticProgram } from './fixture/static-program.ts';
import { until } from './fixture/until.ts';

const APP = 'configured';
const BARE = 'bare';

imagesOf([
  {
    name: APP,
    base: true,
    config: {
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['echo "$GREETING $PATH"; id; pwd; stat -c "%a %u:%g" .'],
      Env: ['PATH=/opt/bin:/bin', 'GREETING=hello world', 'EMPTY='],
      WorkingDir: '/work/deep',
      User: 'app',
      ExposedPorts: { '8080/tcp': {}, '53/udp': {}, '9000-9001': {} },
      StopSignal: 'SIGUSR1',
      Labels: { 'org.example.a': 'image', b: 'image' },
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 30_000_000_000, Retries: 3 },
    },
    entries: [
      {
        path: 'etc/passwd',
        content: 'root:x:0:0:root:/root:/bin/sh\napp:x:1234:1235::/home/app:/bin/sh\n',
      },
      { path: 'etc/group', content: 'root:x:0:\napp:x:1235:\nextra:x:77:app\nmore:x:78:root,app\n' },
    ],
  },
  {
    name: BARE,
    base: false,
    config: { Entrypoint: ['/program'] },
    entries: [{ path: 'program', content: staticProgram('bare\n', 7), mode: 0o755 }],
  },
]);
const boxes = boxesOf('image-config');
const sh = (flags: readonly string[], script: string): Promise<string> =>
  a3sOk(['run', '--rm', ...flags, APP, script]);

describe('an image says', () => {
  test('what runs, as whom, where, with which variables', async () => {
    expect(await a3sOk(['run', '--rm', APP])).toBe(
      'hello world /opt/bin:/bin\nuid=1234(app) gid=1235(app) groups=77(extra),78(more),1235(app)\n/work/deep\n755 0:0',
    );
  });

  test('a command that the caller replaces, and an entrypoint that takes the command away', async () => {
    expect(await sh(['-e', 'GREETING=bye', '-e', 'EMPTY'], 'echo "$GREETING ${EMPTY-unset}"')).toBe(
      'bye unset',
    );
    expect(await a3sOk(['run', '--rm', '--entrypoint', '/bin/echo', APP, 'one', 'two'])).toBe('one two');
    expect(await a3s(['run', '--rm', '--entrypoint', '', APP])).toMatchObject({
      status: 125,
      err: expect.stringContaining('no command specified'),
    });
  });

  test.each([
    ['app', '1234:1235 1235,77,78, /home/app'],
    ['1234', '1234:1235 1235,77,78, /home/app'],
    ['app:extra', '1234:77 77, /home/app'],
    ['4711:78', '4711:78 78, /'],
    ['0', '0:0 0,78, /root'],
  ])('the user %s, by its own passwd and group', async (user, seen) => {
    const script =
      'echo "$(id -u):$(id -g) $(id -G | tr " " "\\n" | sort -n | uniq | sort | tr "\\n" ",") $HOME"';
    expect(await sh(['-u', user], script)).toBe(seen);
  });

  test('a user that it does not have is refused', async () => {
    expect(await a3s(['run', '--rm', '-u', 'nobody', APP, 'true'])).toMatchObject({
      status: 125,
      out: '',
      err: expect.stringContaining('unable to find user nobody: no matching entries in passwd file'),
    });
  });

  test('the signal that stops it, its labels under the caller, its health check and its ports', async () => {
    const script = 'trap "echo usr1; exit 9" USR1; echo ready; while :; do sleep 0.1; done';
    const name = await boxes.detached('told', ['-l', 'b=box', APP, script]);
    const format =
      '{{.Config.StopSignal}} {{json .Config.Labels}} {{json .Config.Healthcheck}} {{json .Config.ExposedPorts}} ' +
      '{{json .NetworkSettings.Ports}}';
    expect(await a3sOk(['inspect', '-f', format, name])).toBe(
      'SIGUSR1 {"b":"box","org.example.a":"image"} ' +
        '{"Test":["CMD-SHELL","true"],"Interval":30000000000,"Retries":3} ' +
        '{"53/udp":{},"8080/tcp":{},"9000/tcp":{},"9001/tcp":{}} ' +
        '{"53/udp":null,"8080/tcp":null,"9000/tcp":null,"9001/tcp":null}',
    );
    expect(await a3sOk(['ps', '--filter', `name=${name}`, '--format', '{{.Ports}}'])).toBe(
      '8080/tcp, 53/udp, 9000-9001/tcp',
    );
    await until('its trap', async () => (await a3sOk(['logs', name])) === 'ready');
    await a3sOk(['stop', name]);
    expect(await a3sOk(['inspect', '-f', '{{.State.ExitCode}}', name])).toBe('9');
    expect(await a3sOk(['logs', name])).toBe('ready\nusr1');
  });
});

test('-P publishes what is exposed on free ports of the host', async () => {
  const name = await boxes.detached('published', [
    '-P',
    '--expose',
    '7777',
    '-p',
    '127.0.0.1::8080',
    APP,
    'sleep 1000',
  ]);
  const ports = await a3sOk(['inspect', '-f', '{{json .NetworkSettings.Ports}}', name]);
  const bound = (ip: string) => [{ HostIp: ip, HostPort: expect.stringMatching(/^[1-9]\d+$/) }];
  expect(JSON.parse(ports)).toEqual({
    '53/udp': bound('0.0.0.0'),
    '7777/tcp': bound('0.0.0.0'),
    '8080/tcp': bound('127.0.0.1'),
    '9000/tcp': bound('0.0.0.0'),
    '9001/tcp': bound('0.0.0.0'),
  });
  const asked = '{{.HostConfig.PublishAllPorts}} {{json .HostConfig.PortBindings}}';
  const [all = '', bindings = ''] = (await a3sOk(['inspect', '-f', asked, name])).split(' ');
  expect([all, JSON.parse(bindings)]).toEqual([
    'true',
    { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
  ]);
});

describe('an image of one static program, without a shell or a passwd', () => {
  test('runs it', async () => {
    expect(await a3s(['run', '--rm', BARE])).toMatchObject({ status: 7, out: 'bare\n', err: '' });
    expect(await a3s(['run', '--rm', '-u', '5:6', '-w', '/made/here', BARE])).toMatchObject({
      status: 7,
      out: 'bare\n',
    });
  });

  test('has nothing else', async () => {
    expect(await a3s(['run', '--rm', '--entrypoint', 'sh', BARE])).toMatchObject({
      status: 127,
      out: '',
      err: expect.stringContaining('exec: "sh": executable file not found in $PATH'),
    });
  });

  test('fills no volume', async () => {
    expect(await a3s(['run', '--rm', '-v', '/data', BARE])).toMatchObject({ status: 7, out: 'bare\n' });
  });
});
