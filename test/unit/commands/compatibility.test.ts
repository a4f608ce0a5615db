/** docs/compatibility.md is made from the flag data and the lists of the replayed transcripts; `vitest -u` writes it anew. */
import { expect, test } from 'vitest';

import { kinds } from '../../../src/commands/flags/kinds.ts';
import type { FlagSpec } from '../../../src/commands/flags/spec.ts';
import { groups, load, plain, spellings } from '../../../src/commands/registry.ts';
import { OURS } from './own-flags.ts';
import { recordedSection } from '../../fixture/transcripts/section.ts';

const INTRODUCTION = `# Compatibility with Docker's command line

The reference is the \`docker\` client 28. The tables list each command of a3s-box and every flag that Docker's has.
A flag that is not supported is known to the parser and refused with the reason, or with \`--flag is not supported yet\`
(exit status 125); it is never ignored. What is said to be in part is refused beyond that part. Asking such a flag for what happens anyway (\`--privileged=false\`) is accepted.

This file is made from the flags' own definitions and the lists of the replayed transcripts by
\`test/unit/commands/compatibility.test.ts\`.

## Where a3s-box differs

- Each box is a virtual machine: \`--cpus\` is 2 and \`--memory\` 512m unless given; \`--cpus 0\` is 2 as well. Memory below 64m is refused,
  and more than the host has; so is a \`--pids-limit\` above 4194304.
- A \`--\` between IMAGE (or BOX, in \`exec\`) and the command is not part of the command.
- \`exec\` passes signals on to the command, as \`run\` does; Docker's leaves the command running.
- \`exec --timeout SECONDS\` is new: the command is killed and the exit status is 124.
- At most 200 commands run in a box through \`exec\` at a time; a further one is refused.
- A refusal shows at most 1024 characters, control characters escaped; Docker's client prints a bad value as it is.
- A box's name has at most 240 characters. A duration of a health check is below 104 days, an integer below 2^53.
- A box's command, environment and labels take at most 983040 bytes together, those of an \`exec\` 1048576.
- \`logs --tail\` refuses what is not a number or \`all\`; Docker's takes it for \`all\`.
- \`logs\` tells on stderr where lines are missing that a full disk did not take.
- \`pool\` is new: boxes that are kept warm for \`run\` (\`docs/decisions/0010-pool.md\`). \`A3S_BOX_POOL=N\` keeps N boxes warm of whatever is run;
  \`A3S_BOX_POOL=0\` uses none. Pools are told apart by the image's whole name (\`a3s/base\` is \`a3s/base:latest\`), memory and CPUs.
- A reader that closes stdout ends the command quietly with 141, as SIGPIPE would; the box runs on, as with Docker.
- \`update\` gives a running box at most the memory and the processors that its virtual machine was started with, a stopped one any.
  \`--cpus\` and \`--cpu-quota\` replace each other.
- \`kill\` with another signal than KILL and the box's stop signal leaves its restart policy alone; with Docker's engine any
  signal ends it unless the box has a stop signal of its own.
- A restart that fails (a port is taken meanwhile, the VM does not come up) is tried again by the policy; Docker's engine gives up.
- A box whose virtual machine was lost is \`dead\`, not \`exited\`, unless its policy starts it again or a user was stopping it.
- \`wait\` waits for all boxes at once.
- \`--publish\` takes IPv4 addresses of the host only; an IPv6 address is refused, and a port without an address is published on 0.0.0.0 and
  not on \`::\` as well: QEMU's user-mode network forwards from IPv4 alone. It has no SCTP: \`/sctp\` is refused.
- \`login\` to Docker Hub asks for a name and a password; Docker's offers a device code in a browser first.
- Plain HTTP and unverified certificates are for registries on this machine and those that \`A3S_INSECURE_REGISTRIES\` names
  (hosts and networks, separated by commas); the \`insecure-registries\` of a \`daemon.json\` are not read.
- \`cp\` without \`-a\` makes what it brings into a box root's, as Docker's manual says; with \`-a\` owners are kept both ways (not in what an ordinary user has bind-mounted: there all is that user's). Extended
  attributes are not copied from or to the host; devices and pipes of a box are left out on the host. \`cp\` of a paused box is refused.
- \`cp\`, \`diff\`, \`export\` and \`commit\` of a box that does not run start its VM without its workload for the while;
  one that waits for its restart waits on until they are done.
- \`diff\` compares by content: a file that was written with what it held, or only touched, is not listed.
- \`top\` shows the numbers that the box itself knows its processes by, and takes \`-ef\`, \`aux\`, \`-l\` and \`-o COLUMN,…\` of ps's options.
- \`stats --format\` also has \`HostCPUPerc\` and \`HostMemUsage\`, what the VM costs the host. A paused box shows what it used when
  it was paused, or \`--\` where its agent did not answer within a second then.
- A volume's directory is \`volumes/NAME/_data\` of the state directory. The driver is always \`local\` and takes no
  options; mounts do not propagate.
- \`--sysctl\` takes every parameter: the kernel is the box's own. \`--storage-opt size=\` takes 1m to 64g; \`df\` in the box shows the
  bound as available space, not as the size of the file system. A box has no swap: \`--memory-swap\` equals the memory or is -1.
- \`--privileged\` gives all capabilities and a writable, unmasked /proc and /sys; the devices are those of the VM.
- The kernel of a box measures no pressure: it has no /proc/pressure, and its control group no \`*.pressure\` files.
- \`--log-driver\` is \`json-file\` (with \`max-size\`, \`max-file\`, \`labels\`, \`env\`) or \`none\`.
- \`events\` reads a journal that outlives every command; the attributes of an event are the labels, image and name of the box at that
  moment. Health checks are not told of as commands.
- \`system df\` counts layers as parts of their image's size.
- \`builder prune\` and \`builder du\` list steps of builds and cache mounts; there are no records of sources. Without \`--all\` what an image has as
  well stays, and \`until\` of \`system prune\` may be a time for the build cache, too.
- \`--output type=local\` leaves out devices and pipes; layers are compressed with gzip, other \`compression=\` is refused.
- A box takes at most 16 different directories and volumes of the host; single files and mounts of one directory share. More are
  refused when the box is made.
- \`build\` is BuildKit's, of docker 28 with buildx: \`builder build\`, \`image build\` and \`buildx build\` are the same. Each stage with a RUN has a VM
  of its own, with \`--memory\` (2g) and \`--cpus\` (2). \`syntax=\` is accepted: there is one frontend. The status of a build that a RUN has ended
  is its command's, with buildx 1; after Ctrl-C it is 130. \`DOCKER_BUILDKIT=0\` changes nothing but a line that says so.
- Extended attributes of the files in a context's directory do not come into the image, file capabilities among them: Node cannot read them. Those
  in an archive do, and what a RUN sets stays.
- \`build --progress\` shows steps as BuildKit does; \`BUILDKIT_PROGRESS\`, \`BUILDKIT_COLORS\`, \`BUILDKIT_TTY_LOG_LINES\` and \`NO_COLOR\` count. Digests of
  \`rawjson\` tell steps apart and are those of nothing. \`PROGRESS_NO_TRUNC\` does not: nothing is cut.
- The checks of \`build --check\` and the warnings of a build are BuildKit's. On an image that is not here \`--check\` does not judge variables.
- The global flags \`-H\`, \`--context\`, \`--log-level\` and \`--tls…\` are refused: there is no daemon.
- Of \`config.json\` (\`--config\`, \`DOCKER_CONFIG\`) count what is about registries, \`detachKeys\`, \`psFormat\`, \`imagesFormat\`, \`statsFormat\`,
  \`volumesFormat\` and \`proxies\`, there \`default\` alone; \`HttpHeaders\`, \`pruneFilters\`, \`aliases\`, \`plugins\`, \`currentContext\` and what is about
  swarm are not read. \`DOCKER_DEFAULT_PLATFORM\` counts for \`run\`, \`create\`, \`pull\`, \`import\` and \`build\`.

## Commands
`;

/** Commands that are only found in their group. */
const GROUPED = [
  'builderDu',
  'builderPrune',
  'buildxPrune',
  'containerPrune',
  'imagePrune',
  'systemDf',
  'systemPrune',
] as const;

/** Commands of our own. */
const OURS_GROUP = Object.values(groups['pool']?.commands ?? {});

test('docs/compatibility.md says what the flags and the replayed transcripts say', async () => {
  const sections = await Promise.all(
    [...plain, ...GROUPED, ...OURS_GROUP, ...Object.values(groups['volume']?.commands ?? {})].map(
      async (name) => {
        const command = await load(name);
        const names = spellings(name).map((spelling) => `\`a3s-box ${spelling}\``);
        const rows = Object.entries(command.flags)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([flag, spec]) => row(name, flag, spec));
        const [title = name] = plain.includes(name) ? [name] : spellings(name);
        return `### ${title}\n\n${command.summary}. ${names.join(', ')}\n\n| flag | |\n|---|---|\n${rows.join('\n')}\n`;
      },
    ),
  );
  const text = [INTRODUCTION, ...sections, recordedSection()].join('\n');
  await expect(text).toMatchFileSnapshot('../../../docs/compatibility.md');
});

function row(command: string, flag: string, spec: FlagSpec): string {
  const label = kinds[spec.kind].label;
  const letter = spec.short === undefined ? '' : `\`-${spec.short}\`, `;
  const shown = `${letter}\`--${flag}${label === '' ? '' : ` ${label}`}\``;
  return `| ${shown} | ${verdict(command, flag, spec)} |`;
}

function verdict(command: string, flag: string, spec: FlagSpec): string {
  if (spec.refused === true) return 'not supported yet';
  if (spec.refused !== undefined) return `no: ${spec.refused}`;
  if (spec.aliasOf !== undefined) return `supported, as \`--${spec.aliasOf}\``;
  if (spec.partly !== undefined) return `partly: ${spec.partly}`;
  const ours = command.startsWith('pool') || OURS.has(`${command} --${flag}`);
  return ours ? 'supported; not in Docker' : 'supported';
}
