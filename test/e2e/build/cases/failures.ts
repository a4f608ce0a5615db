/** Builds that fail: what they say and with which status. */
import type { FailingCase } from '../fixture/case.ts';

export const FAILURES: readonly FailingCase[] = [
  {
    name: 'a command that fails',
    dockerfile: 'FROM a3s/base\nRUN echo before && exit 7\n',
    status: 7,
    message: new RegExp(
      String.raw`^#0 building .*\n(?:[^]*\n)?\n#5 \[2/2\] RUN echo before && exit 7\n#5 \d+\.\d+ before\n` +
        String.raw`#5 ERROR: process "/bin/sh -c echo before && exit 7" did not complete successfully: exit code: 7\n` +
        String.raw`------\n > \[2/2\] RUN echo before && exit 7:\n\d+\.\d+ before\n------\nDockerfile:2\n-{20}\n` +
        String.raw`   1 \|     FROM a3s/base\n   2 \| >>> RUN echo before && exit 7\n   3 \|     \n-{20}\n` +
        String.raw`ERROR: failed to solve: process "/bin/sh -c echo before && exit 7" did not complete successfully: exit code: 7\n$`,
    ),
  },
  {
    name: 'a command that is not there',
    dockerfile: 'FROM a3s/base\nRUN ["/nosuch"]\n',
    status: 127,
    message: /process "\/nosuch" did not complete successfully/,
  },
  {
    name: 'a file that is not there',
    dockerfile: 'FROM a3s/base\nCOPY nosuch /x\n',
    status: 1,
    message: /"\/nosuch": not found/,
  },
  {
    name: 'a path above the context',
    dockerfile: 'FROM a3s/base\nCOPY ../etc/passwd /x\n',
    status: 1,
    message: /"\/etc\/passwd": not found/,
  },
  {
    name: 'a link out of the context',
    dockerfile: 'FROM scratch\nCOPY l /x\n',
    files: { l: { symlink: '/etc/passwd' } },
    status: 1,
    message: /"\/l": not found|"\/etc\/passwd": not found/,
  },
  {
    name: 'an instruction that is none',
    dockerfile: 'FROM a3s/base\nRUNN true\n',
    status: 1,
    message:
      'ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)',
  },
  {
    name: 'an empty Dockerfile',
    dockerfile: '',
    status: 1,
    message: 'ERROR: failed to solve: the Dockerfile cannot be empty',
  },
  {
    name: 'no FROM',
    dockerfile: 'RUN true\n',
    status: 1,
    message: 'no build stage in current context',
  },
  {
    name: 'a target that is none',
    dockerfile: 'FROM a3s/base AS build\n',
    flags: ['--target', 'buidl'],
    status: 1,
    message: 'target stage "buidl" could not be found (did you mean build?)',
  },
  {
    name: 'a variable that must be set',
    dockerfile: 'FROM a3s/base\nENV A="${B:?say B}"\n',
    status: 1,
    message: /B: say B/,
  },
  {
    name: 'a secret that is required',
    dockerfile: 'FROM a3s/base\nRUN --mount=type=secret,id=s,required=true true\n',
    status: 1,
    message: 'secret s: not found',
  },
  {
    name: 'a mount on the root, where the directory of work is the root',
    dockerfile: 'FROM a3s/base\nRUN --mount=type=tmpfs,target=. true\n',
    status: 1,
    message: 'ERROR: failed to solve: invalid mount target "/"',
  },
  {
    name: 'a user that is not there',
    dockerfile: 'FROM a3s/base\nUSER nosuch\nRUN true\n',
    status: 1,
    message: /process ".*" did not complete successfully: unable to find user nosuch/,
  },
  {
    name: 'more rights',
    dockerfile: 'FROM a3s/base\nRUN --security=insecure true\n',
    status: 1,
    message: 'ERROR: failed to solve: security.insecure is not allowed\n',
  },
  {
    name: 'the network of the host',
    dockerfile: 'FROM a3s/base\nRUN --network=host true\n',
    status: 1,
    message: 'ERROR: failed to solve: network.host is not allowed: a RUN has a network of its own\n',
  },
];
