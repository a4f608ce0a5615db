/** docs/compatibility.md is made from the flag data; `vitest -u` writes it anew. */
import { expect, test } from 'vitest';

import { kinds } from '../../../src/commands/flags/kinds.ts';
import type { FlagSpec } from '../../../src/commands/flags/spec.ts';
import { groups, load, plain, spellings } from '../../../src/commands/registry.ts';

const INTRODUCTION = `# Compatibility with Docker's command line

The reference is the \`docker\` client 28. The tables list each command of a3s-box and every flag that Docker's has.
A flag that is not supported is known to the parser and refused with \`--flag is not supported yet\` (exit status 125);
it is never ignored. Asking such a flag for what happens anyway (\`--restart no\`, \`--privileged=false\`) is accepted.

This file is made from the flags' own definitions by \`test/unit/commands/compatibility.test.ts\`.

## Where a3s-box differs

- Each box is a virtual machine: \`--cpus\` is 2 and \`--memory\` 512m unless given; below 64m is refused.
- A \`--\` between IMAGE (or BOX, in \`exec\`) and the command is not part of the command.
- \`exec\` passes signals on to the command, as \`run\` does; Docker's leaves the command running.
- \`exec --timeout SECONDS\` is new: the command is killed and the exit status is 124.
- \`start\` of several boxes prints one line for each failure and no summary.
- A failed \`exec\` reports on stderr; Docker's engine writes some of these messages to stdout.
- \`logs --tail\` refuses what is not a number or \`all\`; Docker's takes it for \`all\`.
- A reader that closes stdout ends the command quietly with 141, as SIGPIPE would; the box runs on, as with Docker.
- \`--publish\` takes IPv4 addresses of the host only; an IPv6 address is refused.
- \`login\` to Docker Hub asks for a name and a password; Docker's offers a device code in a browser first.
- Plain HTTP and unverified certificates are for registries on this machine and those that \`A3S_INSECURE_REGISTRIES\` names
  (hosts and networks, separated by commas); the \`insecure-registries\` of a \`daemon.json\` are not read.
- \`cp\` without \`-a\` makes what it brings into a box root's, as Docker's manual says; with \`-a\` owners are kept both ways. Extended
  attributes are not copied from or to the host; devices and pipes of a box are left out on the host. \`cp\` of a paused box is refused.
- \`cp\`, \`diff\`, \`export\` and \`commit\` of a box that does not run start its VM without its workload for the while.
- \`diff\` compares by content: a file that was written with what it held, or only touched, is not listed.
- \`top\` shows the numbers that the box itself knows its processes by, and takes \`-ef\`, \`aux\`, \`-l\` and \`-o COLUMN,…\` of ps's options.
- \`stats --format\` also has \`HostCPUPerc\` and \`HostMemUsage\`, what the VM costs the host.
- A volume's directory is \`volumes/NAME/_data\` of the state directory. The driver is always \`local\` and takes no
  options; mounts do not propagate. \`--volumes-from\` is not supported yet.
- A box takes at most 16 different directories and volumes of the host; single files and mounts of one directory share.
- The global flags \`-H\`, \`--context\`, \`--config\`, \`--log-level\` and \`--tls…\` are refused: there is no daemon.

## Commands
`;

/** Flags of our own. */
const OURS = new Set(['exec --timeout']);

test('docs/compatibility.md says what the flags say', async () => {
  const sections = await Promise.all(
    [...plain, ...Object.values(groups['volume']?.commands ?? {})].map(async (name) => {
      const command = await load(name);
      const names = spellings(name).map((spelling) => `\`a3s-box ${spelling}\``);
      const rows = Object.entries(command.flags)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([flag, spec]) => row(name, flag, spec));
      const [title = name] = plain.includes(name) ? [name] : spellings(name);
      return `### ${title}\n\n${command.summary}. ${names.join(', ')}\n\n| flag | |\n|---|---|\n${rows.join('\n')}\n`;
    }),
  );
  await expect([INTRODUCTION, ...sections].join('\n')).toMatchFileSnapshot('../../../docs/compatibility.md');
});

function row(command: string, flag: string, spec: FlagSpec): string {
  const label = kinds[spec.kind].label;
  const letter = spec.short === undefined ? '' : `\`-${spec.short}\`, `;
  const shown = `${letter}\`--${flag}${label === '' ? '' : ` ${label}`}\``;
  return `| ${shown} | ${verdict(command, flag, spec)} |`;
}

function verdict(command: string, flag: string, spec: FlagSpec): string {
  if (spec.refused === true) return 'not supported yet';
  if (spec.aliasOf !== undefined) return `supported, as \`--${spec.aliasOf}\``;
  return OURS.has(`${command} --${flag}`) ? 'supported; not in Docker' : 'supported';
}
