/** What `info` tells of this host: accelerator and why, versions, programs there and missing. Changes nothing. */
import { A3sError } from '../errors.ts';
import type { Layout } from '../state/layout.ts';
import { findProgram } from './host-cache.ts';
import { kvmObstacle, knownAccelerator } from './templates/accelerator.ts';
import { openContext } from './templates/context.ts';

export interface HostFacts {
  /** Null until the first box has put it to the trial. */
  accelerator: 'kvm' | 'tcg' | null;
  acceleratorReason: string;
  qemuVersion: string | null;
  kernelVersion: string | null;
  agentVersion: string | null;
  programs: { name: string; package: string; path: string | null; neededFor: string }[];
  /** One sentence each. */
  problems: string[];
}

const PROGRAMS = [
  { name: 'qemu-system-x86_64', package: 'qemu-system-x86', neededFor: 'every box' },
  { name: 'tar2sqfs', package: 'squashfs-tools-ng', neededFor: 'making root filesystems from images' },
  { name: 'cp', package: 'coreutils', neededFor: 'templates' },
];

export function hostFacts(layout: Layout): Promise<HostFacts> {
  const programs = PROGRAMS.map((program) => ({ ...program, path: findProgram(program.name) }));
  const facts: HostFacts = {
    accelerator: null,
    acceleratorReason: 'not tried yet: the first box decides',
    qemuVersion: null,
    kernelVersion: null,
    agentVersion: null,
    programs,
    problems: programs
      .filter((program) => program.path === null)
      .map((program) => `${program.name} is missing: install the package ${program.package}`),
  };
  try {
    const context = openContext(layout);
    facts.qemuVersion = context.host.qemu.version;
    facts.kernelVersion = context.bundle.kernelVersion;
    facts.agentVersion = context.bundle.agentVersion;
    const verdict = knownAccelerator(context);
    if (verdict !== null) {
      facts.accelerator = verdict.name;
      facts.acceleratorReason = verdict.reason;
    } else {
      const obstacle = kvmObstacle();
      if (obstacle !== null) facts.acceleratorReason = `not tried yet; ${obstacle}`;
    }
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    facts.problems.push(error.message);
  }
  return Promise.resolve(facts);
}
