/** Stages, arguments before and in them, and variables. */
import type { BuildCase } from '../fixture/case.ts';

export const STAGE_CASES: readonly BuildCase[] = [
  {
    name: 'files from an earlier stage, by name and by number',
    dockerfile:
      'FROM a3s/base AS build\nRUN mkdir /out && echo made >/out/f && ln -s f /out/l && ln /out/f /out/h\nFROM scratch\nCOPY --from=build /out /o\nCOPY --from=0 /out/f /g\n',
    buildah: true,
    tree: {
      'o/f': 'file 0644 0:0 "made\\n"',
      'o/l': 'link 0:0 -> f',
      g: 'file 0644 0:0 "made\\n"',
      bin: null,
    },
    except: ['o/h'],
  },
  {
    name: 'owners and modes of a stage stay',
    dockerfile:
      'FROM a3s/base AS a\nRUN echo x >/f && chown 5:6 /f && chmod 4711 /f && mkdir -m 2770 /d && chown 7:8 /d && touch /d/g\nFROM scratch\nCOPY --from=a /f /f\nCOPY --from=a /d /d\n',
    buildah: 'buildah gives what it copies to root',
    tree: { f: 'file 4711 5:6 "x\\n"', 'd/g': 'file 0644 0:8 ""' },
  },
  {
    name: 'a stage on a stage',
    dockerfile:
      'FROM a3s/base AS one\nENV A=1\nRUN echo 1 >/f\nFROM one AS two\nRUN echo $A >>/f\nWORKDIR /w\nFROM two\nRUN pwd >>/f\n',
    buildah: true,
    tree: { f: 'file 0644 0:0 "1\\n1\\n/w\\n"' },
    config: { WorkingDir: '/w' },
  },
  {
    name: 'a target, and the stages that it does not need are not built',
    dockerfile: 'FROM a3s/base AS bad\nRUN exit 9\nFROM a3s/base AS good\nRUN touch /good\nFROM bad\n',
    flags: ['--target', 'good'],
    buildah: 'buildah 1.28 builds the stage before it',
    tree: { good: 'file 0644 0:0 ""' },
  },
  {
    name: 'files from an image',
    dockerfile:
      'FROM scratch\nCOPY --from=a3s/base /etc/passwd /bin/sh /d/\nCOPY --from=a3s/base:latest /home /h\n',
    buildah: true,
    tree: { 'd/passwd': /^file 0644 0:0/, 'h/app': /^dir 0755 1000:1000/ },
    except: ['h/app', 'd/sh'],
  },
  {
    name: 'arguments before the first stage, in FROM and inherited',
    dockerfile:
      'ARG BASE=a3s/base TAG=latest\nARG X=outer\nFROM ${BASE}:${TAG} AS a\nARG X\nARG Y=inner\nRUN echo "$X $Y" >/f\nFROM a\nRUN echo "$X $Y" >/g\n',
    flags: ['--build-arg', 'Y=given'],
    buildah: 'buildah 1.28 does not hand arguments on to a stage on a stage',
    tree: { f: 'file 0644 0:0 "outer given\\n"', g: 'file 0644 0:0 "outer given\\n"' },
  },
  {
    name: 'arguments that are not declared are not there',
    dockerfile:
      'ARG X=outer\nFROM a3s/base\nRUN echo "<$X>" >/f\nARG X=in\nRUN echo "<$X>" >>/f\nENV X=env\nRUN echo "<$X>" >>/f\n',
    buildah: true,
    tree: { f: 'file 0644 0:0 "<>\\n<in>\\n<env>\\n"' },
  },
  {
    name: 'the arguments of the platform',
    dockerfile:
      'FROM a3s/base\nARG TARGETPLATFORM TARGETARCH BUILDPLATFORM TARGETOS\nRUN echo "$TARGETPLATFORM $TARGETARCH $BUILDPLATFORM $TARGETOS" >/f\n',
    buildah: 'buildah 1.28 lists several ARGs in one line differently',
    tree: { f: 'file 0644 0:0 "linux/amd64 amd64 linux/amd64 linux\\n"' },
  },
  {
    name: 'substitutions',
    dockerfile:
      'FROM a3s/base\nENV v=path/to/file.tar.gz e=\nENV a=${v:-w} b=${n:-w} c=${v:+w} d=${n:+w} f=${e:-x} g=${e-x}\nENV h=${v#*/} i=${v##*/} j=${v%.*} k=${v%%.*} l=${v/to/at} m=${v//t/T} o=\\$v p=${v:?none}\nRUN echo "$a|$b|$c|$d|$f|$g|$h|$i|$j|$k|$l|$m|$o|$p" >/f\n',
    buildah: 'buildah 1.28 does not know patterns',
    tree: {
      f: 'file 0644 0:0 "path/to/file.tar.gz|w|w||x||to/file.tar.gz|file.tar.gz|path/to/file.tar|path/to/file|path/at/file.tar.gz|paTh/To/file.Tar.gz|$v|path/to/file.tar.gz\\n"',
    },
  },
  {
    name: 'triggers of a stage run in the one on it, once',
    dockerfile:
      'FROM a3s/base AS parent\nONBUILD ARG A=1\nONBUILD COPY f /f\nONBUILD RUN echo "$A" >>/f\nFROM parent AS child\nENV B=2\nFROM child\nRUN echo end >>/f\n',
    files: { f: 'start\n' },
    buildah: 'buildah 1.28 keeps the triggers of stages',
    tree: { f: 'file 0644 0:0 "start\\n1\\nend\\n"' },
    config: { OnBuild: undefined },
    history: [
      'ARG A=1',
      'COPY f /f # buildkit',
      'RUN |1 A=1 /bin/sh -c echo "$A" >>/f # buildkit',
      'ENV B=2',
      /^RUN \|1 A=1 \/bin\/sh -c echo end/,
    ],
  },
  {
    name: 'a directory and an image as named contexts',
    dockerfile: 'FROM base\nCOPY --from=src f /f\nRUN --mount=from=src,target=/m cat /m/f >/g\n',
    files: { 'other/f': 'named\n' },
    flags: ['--build-context', 'src=other', '--build-context', 'base=docker-image://a3s/base'],
    buildah: 'buildah 1.28 takes paths from its own directory',
    tree: { f: 'file 0644 0:0 "named\\n"', g: 'file 0644 0:0 "named\\n"' },
  },
];
