/** Instructions that only change the image's configuration. */
import type { BuildCase } from '../fixture/case.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const CONFIG_CASES: readonly BuildCase[] = [
  {
    name: 'CMD and ENTRYPOINT in both forms',
    dockerfile: 'FROM a3s/base\nENTRYPOINT ["echo", "a b"]\nCMD ["c"]\n',
    buildah: true,
    config: { Entrypoint: ['echo', 'a b'], Cmd: ['c'] },
    history: ['ENTRYPOINT ["echo" "a b"]', 'CMD ["c"]'],
  },
  {
    name: 'an ENTRYPOINT takes the command of the base away',
    dockerfile: 'FROM a3s/base\nENTRYPOINT exec top\n',
    buildah: true,
    config: { Entrypoint: ['/bin/sh', '-c', 'exec top'], Cmd: null },
  },
  {
    name: 'ENV in both forms, on earlier ones, and replaced',
    dockerfile:
      'FROM a3s/base\nENV A=1 B=$A\nENV C the rest of it\nENV A=${A}2 D="q\\"x" E=\'$A\'\nENV PATH=/x:$PATH\n',
    buildah: true,
    config: { Env: [PATH.replace('=', '=/x:'), 'A=12', 'B=', 'C=the rest of it', 'D=q"x', 'E=$A'] },
  },
  {
    name: 'LABEL, with quotes and lines that go on',
    dockerfile: 'FROM a3s/base\nLABEL a=1 "b c"="d e" \\\n  f=g\nLABEL a=2\n',
    flags: ['--label', 'cli=yes', '--label', 'f=over'],
    buildah: 'buildah adds labels of its own',
    config: { Labels: { a: '2', 'b c': 'd e', f: 'over', cli: 'yes' } },
  },
  {
    name: 'EXPOSE, with ranges and protocols',
    dockerfile: 'FROM a3s/base\nARG P=90\nEXPOSE 80 443/tcp 53/udp 7000-7002 $P\n',
    buildah: true,
    // buildah keeps ranges as they are.
    exceptFields: ['ExposedPorts'],
    config: {
      ExposedPorts: Object.fromEntries(
        ['443/tcp', '53/udp', '7000/tcp', '7001/tcp', '7002/tcp', '80/tcp', '90/tcp'].map((port) => [
          port,
          {},
        ]),
      ),
    },
  },
  {
    name: 'VOLUME in both forms',
    dockerfile: 'FROM a3s/base\nVOLUME /a /b\nVOLUME ["/c d"]\n',
    buildah: true,
    config: { Volumes: { '/a': {}, '/b': {}, '/c d': {} } },
    except: ['a', 'b', 'c d'],
  },
  {
    name: 'HEALTHCHECK and STOPSIGNAL',
    dockerfile:
      'FROM a3s/base\nHEALTHCHECK --interval=5s --timeout=1m --retries=2 --start-period=3s CMD test -e /ok\nSTOPSIGNAL SIGINT\n',
    buildah: true,
    config: {
      Healthcheck: {
        Test: ['CMD-SHELL', 'test -e /ok'],
        Interval: 5e9,
        Timeout: 60e9,
        StartPeriod: 3e9,
        Retries: 2,
      },
      StopSignal: 'SIGINT',
    },
  },
  {
    name: 'no health check',
    dockerfile: 'FROM a3s/base\nHEALTHCHECK CMD ["true"]\nHEALTHCHECK NONE\n',
    buildah: true,
    config: { Healthcheck: { Test: ['NONE'] } },
  },
  {
    name: 'MAINTAINER and USER',
    dockerfile: 'FROM a3s/base\nMAINTAINER Some One <one@example.org>\nARG U=app\nUSER ${U:-root}\n',
    buildah: true,
    config: { User: 'app' },
    history: ['MAINTAINER Some One <one@example.org>', 'ARG U=app', 'USER app'],
  },
  {
    name: 'ONBUILD waits',
    dockerfile: 'FROM a3s/base\nONBUILD RUN touch /later\nONBUILD COPY . /src\n',
    buildah: true,
    tree: { later: null },
    config: { OnBuild: ['RUN touch /later', 'COPY . /src'] },
  },
  {
    name: 'an image of nothing but configuration',
    dockerfile: 'FROM scratch\nENV A=1\nCMD ["/x"]\n',
    buildah: 'umoci makes a root of the empty image, buildah has none',
    config: { Cmd: ['/x'], Env: [PATH, 'A=1'] },
  },
];
