/** RUN. */
import type { BuildCase } from '../fixture/case.ts';

export const RUN_CASES: readonly BuildCase[] = [
  {
    name: 'RUN in the shell form and in the exec form',
    dockerfile:
      'FROM a3s/base\nRUN echo "a  b" >/shell && echo $0 >>/shell\nRUN ["/bin/sh", "-c", "echo $1 >/exec", "sh", "one two"]\n',
    buildah: true,
    tree: { shell: 'file 0644 0:0 "a  b\\n/bin/sh\\n"', exec: 'file 0644 0:0 "one two\\n"' },
    history: [
      'RUN /bin/sh -c echo "a  b" >/shell && echo $0 >>/shell # buildkit',
      /^RUN \/bin\/sh -c echo \$1 >\/exec sh one two # buildkit$/,
    ],
  },
  {
    name: 'lines that go on',
    dockerfile: 'FROM a3s/base\nRUN echo one >/f && \\\n  # a comment between\n\n  echo two \\\n  >>/f\n',
    buildah: true,
    tree: { f: 'file 0644 0:0 "one\\ntwo\\n"' },
  },
  {
    name: 'another escape character',
    dockerfile: '# escape=`\nFROM a3s/base\nRUN echo a\\b `\n  >/f\n',
    buildah: true,
    tree: { f: 'file 0644 0:0 "ab\\n"' },
  },
  {
    name: 'scripts in the Dockerfile',
    dockerfile:
      'FROM a3s/base\nRUN <<EOF\necho one >/f\necho two >>/f\nEOF\nRUN <<-"x"\n\techo $HOME >/who\nx\nRUN cat <<a >/c && cat <<b >>/c\n1\na\n2\nb\nRUN <<EOF\n#!/bin/sh\necho "by $0" >/by\nEOF\n',
    buildah: 'buildah 1.28 does not know heredocs',
    tree: {
      f: 'file 0644 0:0 "one\\ntwo\\n"',
      c: 'file 0644 0:0 "1\\n2\\n"',
      who: 'file 0644 0:0 "/root\\n"',
      by: /by \/dev\/pipes\/EOF/,
    },
  },
  {
    name: 'what a command removes, moves and makes anew',
    dockerfile:
      'FROM a3s/base\nCOPY d /d\nRUN rm /d/a && mv /d/b /moved && rm -r /d/c && mkdir /d/c && echo new >/d/c/n && rm -r /srv\n',
    files: { 'd/a': '1', 'd/b/x': '2', 'd/c/old': '3', 'd/e': '4' },
    buildah: true,
    tree: {
      'd/a': null,
      'd/b': null,
      'moved/x': 'file 0644 0:0 "2"',
      'd/c/old': null,
      'd/c/n': 'file 0644 0:0 "new\\n"',
      srv: null,
      'd/e': 'file 0644 0:0 "4"',
    },
  },
  {
    name: 'modes, owners, links, devices and pipes',
    dockerfile:
      'FROM a3s/base\nRUN echo x >/f && chown 12:13 /f && chmod 4750 /f && ln /f /g && ln -s /f /s && mkfifo /p && mkdir -m 1777 /t\n',
    buildah: true,
    tree: {
      f: 'file 4750 12:13 "x\\n"',
      g: 'same as f',
      s: 'link 0:0 -> /f',
      p: 'fifo 0644 0:0',
      t: 'dir 1777 0:0',
    },
  },
  {
    name: 'a device',
    dockerfile: 'FROM a3s/base\nRUN mknod -m 640 /n c 1 3\n',
    buildah: 'buildah without a container may not make devices',
    tree: { n: /^char 0640 0:0 259$/ },
  },
  {
    name: 'only the mode of a file of the image',
    dockerfile: 'FROM a3s/base\nRUN chmod 600 /etc/passwd && chmod 711 /opt && chown 4:5 /mnt\n',
    buildah: true,
    tree: { 'etc/passwd': /^file 0600 0:0/, opt: 'dir 0711 0:0', mnt: 'dir 0755 4:5' },
  },
  {
    name: 'a user and its environment',
    dockerfile:
      'FROM a3s/base\nUSER app\nENV A=1 B="two words"\nWORKDIR /tmp\nRUN id -u >who && id -g >>who && echo "$HOME $A $B $PWD" >>who\nUSER 7:8\nRUN id -u >num && id -g >>num\n',
    buildah: true,
    tree: {
      'tmp/who': 'file 0644 1000:1000 "1000\\n1000\\n/home/app 1 two words /tmp\\n"',
      'tmp/num': 'file 0644 7:8 "7\\n8\\n"',
    },
    config: { User: '7:8' },
  },
  {
    name: 'another shell',
    dockerfile:
      'FROM a3s/base\nSHELL ["/bin/sh", "-exc"]\nRUN case $- in *x*) echo yes >/f;; esac\nCMD echo hi\n',
    buildah: 'buildah does not keep the shell of the base for CMD',
    tree: { f: 'file 0644 0:0 "yes\\n"' },
    config: { Shell: ['/bin/sh', '-exc'], Cmd: ['/bin/sh', '-exc', 'echo hi'] },
    history: ['SHELL [/bin/sh -exc]', /^RUN \/bin\/sh -exc case/, 'CMD ["/bin/sh" "-exc" "echo hi"]'],
  },
  {
    name: 'build arguments in a command, in its history and not in the image',
    dockerfile: 'FROM a3s/base\nARG A=1\nARG B\nRUN echo "$A-$B" >/f\n',
    flags: ['--build-arg', 'B=two'],
    buildah: true,
    tree: { f: 'file 0644 0:0 "1-two\\n"' },
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    history: ['ARG A=1', 'ARG B=two', 'RUN |2 A=1 B=two /bin/sh -c echo "$A-$B" >/f # buildkit'],
  },
  {
    name: 'a proxy reaches commands without an ARG and leaves no trace',
    dockerfile: 'FROM a3s/base\nRUN echo "$http_proxy $HTTP_PROXY" >/f\n',
    flags: ['--build-arg', 'HTTP_PROXY=http://p:1'],
    buildah: 'buildah sets the spelling that is given only',
    tree: { f: 'file 0644 0:0 "http://p:1 http://p:1\\n"' },
    history: ['RUN /bin/sh -c echo "$http_proxy $HTTP_PROXY" >/f # buildkit'],
  },
  {
    name: 'mounts in mounts, the inner one named first',
    dockerfile:
      'FROM a3s/base\nRUN --mount=type=tmpfs,target=/t/in/x --mount=type=cache,target=/t/in,id=case-nested --mount=type=tmpfs,target=/t find /t | sort >/seen\n',
    buildah: 'buildah leaves the places that it mounted on',
    tree: { t: null, seen: 'file 0644 0:0 "/t\\n/t/in\\n/t/in/x\\n"' },
  },
  {
    name: 'a tmpfs leaves nothing',
    dockerfile:
      'FROM a3s/base\nRUN --mount=type=tmpfs,target=/scratch,size=1m echo x >/scratch/f && df /scratch | tail -1 >/f\n',
    buildah: 'the figures of the file system differ',
    tree: { scratch: null, f: /1024/ },
  },
  {
    name: 'a cache stays for the next command, and not in the image',
    dockerfile:
      'FROM a3s/base\nRUN --mount=type=cache,target=/c,id=case-cache echo x >>/c/f; wc -l </c/f >/one\nRUN --mount=type=cache,target=/other,id=case-cache,uid=5,gid=6,mode=0750 wc -l </other/f >/two\n',
    flags: ['--no-cache'],
    buildah: 'the cache of an earlier build counts',
    tree: { c: null, other: null, one: /^file 0644 0:0 "\d+\\n"/, two: /^file 0644 0:0 "\d+\\n"/ },
  },
  {
    name: 'a cache that starts with files of a stage, as they are there',
    dockerfile:
      'FROM a3s/base AS from\nRUN mkdir -m 750 /d && echo x >/d/f && chown 7:8 /d/f && chmod 4751 /d/f && ln -s f /d/l && chown -h 5:6 /d/l && chown 9:10 /d\nFROM a3s/base\nRUN --mount=type=cache,from=from,source=/d,target=/c,id=case-initial stat -c "%a %u:%g" /c /c/f /c/l >/seen\n',
    buildah: 'buildah 1.28 leaves such a cache empty',
    tree: { c: null, seen: 'file 0644 0:0 "750 9:10\\n4751 7:8\\n777 5:6\\n"' },
  },
  {
    name: 'files of the context, of a stage and of an image mounted',
    dockerfile:
      'FROM a3s/base AS other\nRUN echo stage >/s\nFROM a3s/base\nRUN --mount=target=/ctx cat /ctx/f >/f; touch /ctx/no 2>/ro; true\nRUN --mount=type=bind,from=other,source=/s,target=/in/s cat /in/s >/s\nRUN --mount=type=bind,source=d,target=/d,rw echo gone >/d/new && cat /d/a /d/new >/r\nRUN --mount=from=a3s/base,source=/etc,target=/e cp /e/group /g\n',
    files: { f: 'context\n', 'd/a': 'a\n' },
    buildah: 'buildah leaves the places that it mounted on',
    tree: {
      f: 'file 0644 0:0 "context\\n"',
      s: 'file 0644 0:0 "stage\\n"',
      r: 'file 0644 0:0 "a\\ngone\\n"',
      ro: /Read-only/,
      ctx: null,
      in: null,
      d: null,
      e: null,
      g: /^file 0644 0:0/,
    },
  },
  {
    name: 'a secret as a file and as a variable, and no trace of it',
    dockerfile:
      'FROM a3s/base\nRUN --mount=type=secret,id=s sh -c \'stat -c "%a %u:%g" /run/secrets/s >/st && wc -c </run/secrets/s >/n\'\nRUN --mount=type=secret,id=s,target=/in/deep/x,mode=0444,uid=9 stat -c "%a %u" /in/deep/x >/st2\nRUN --mount=type=secret,id=s,env=TOKEN echo ${#TOKEN} >/len\nRUN --mount=type=secret,id=absent,target=/a test ! -e /a\n',
    flags: ['--secret', 'id=s,env=BUILD_SECRET'],
    buildah: 'buildah 1.28 knows secrets as files only',
    tree: {
      st: 'file 0644 0:0 "400 0:0\\n"',
      n: 'file 0644 0:0 "11\\n"',
      st2: 'file 0644 0:0 "444 9\\n"',
      len: 'file 0644 0:0 "11\\n"',
      in: null,
      'run/secrets': null,
      a: null,
    },
  },
  {
    name: 'no network where none is asked for',
    dockerfile:
      'FROM a3s/base\nRUN --network=none ip link | grep -c ^[0-9] >/n; ip link | grep -o "eth0" >>/n; true\nRUN ip link | grep -o "eth0:" >/e\n',
    buildah: 'buildah 1.28 does not know --network of RUN',
    tree: { n: 'file 0644 0:0 "1\\n"', e: 'file 0644 0:0 "eth0:\\n"' },
  },
  {
    name: 'nothing of the box that the commands ran in',
    dockerfile: 'FROM scratch\nCOPY --from=a3s/base /bin/busybox /sh\nRUN ["/sh", "-c", "echo x >/f"]\n',
    buildah: true,
    tree: { etc: null, dev: null, proc: null, sys: null, f: 'file 0644 0:0 "x\\n"' },
    except: ['etc'],
  },
  {
    name: 'sparse and large files',
    dockerfile:
      'FROM a3s/base\nRUN dd if=/dev/zero of=/z bs=1M count=0 seek=64 2>/dev/null && echo end >>/z\n',
    buildah: true,
    tree: { z: /^file 0644 0:0 67108868 bytes/ },
  },
];
