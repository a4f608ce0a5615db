/**
 * The program's flags held against Docker's own: every flag that docker 28.2.2 shows in the help of its commands for containers,
 * images, volumes, builds and the system, as `docker COMMAND --help` shows it, one line a command.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { kinds } from '../../../src/commands/flags/kinds.ts';
import type { FlagSet } from '../../../src/commands/flags/spec.ts';
import { find, isDockers, load } from '../../../src/commands/registry.ts';
import { OURS } from './own-flags.ts';

const text = readFileSync(new URL('./docker-flags-28.jsonl', import.meta.url), 'utf8');
const recorded = text
  .trimEnd()
  .split('\n')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a file of our own
  .map((line) => JSON.parse(line) as [command: string, flags: string[]])
  // `volume update` is for volumes of a swarm.
  .filter(([command]) => !isDockers(command));

/** What Docker takes and its help does not show, and what buildx and newer builders have beyond the older one. */
const UNSEEN: Readonly<Record<string, string>> = {
  create: 'dns-opt net net-alias',
  run: 'dns-opt net net-alias',
  update: 'kernel-memory',
  restart: 'time',
  stop: 'time',
  'builder prune': 'builder max-used-space min-free-space reserved-space',
  'volume create': 'name',
  build: `allow annotation attest build-context builder cache-to call check debug load metadata-file no-cache-filter output print
    progress provenance push sbom secret ssh`,
};

async function flagsOf(command: string): Promise<FlagSet> {
  const found = find(command.split(' '));
  if (found.kind !== 'command') throw new Error(`there is no command ${command}`);
  return (await load(found.name)).flags;
}

/** `-a, --attach VALUE`: the kinds of values have names of their own here. */
function shown(flag: string): string {
  const [, letter = '', name = '', value] = /^(-\w, )?--([\w-]+)( \S+)?$/.exec(flag) ?? [];
  return `${letter}--${name}${value === undefined ? '' : ' VALUE'}`;
}

test.each(recorded)(
  '%s has every flag of Docker’s, known or refused, and says which are its own',
  async (command, theirs) => {
    const own = Object.entries(await flagsOf(command)).map(([name, { kind, short }]) =>
      shown(`${short === undefined ? '' : `-${short}, `}--${name}${kinds[kind].label === '' ? '' : ' x'}`),
    );
    expect(theirs.map(shown).filter((flag) => !own.includes(flag))).toEqual([]);
    const names = (flags: readonly string[]): string[] =>
      flags.map((flag) => /--([\w-]+)/.exec(flag)?.[1] ?? '');
    const known = [...names(theirs), ...(UNSEEN[command] ?? '').split(/\s+/)];
    const beyond = names(own).filter((name) => !known.includes(name));
    expect(beyond).toEqual(
      [...OURS].flatMap((each) => (each.startsWith(`${command} --`) ? [each.slice(command.length + 3)] : [])),
    );
  },
);
