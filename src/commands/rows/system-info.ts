/** What `info` shows, for people and by Docker's field names. */
import { availableParallelism, hostname, release, totalmem } from 'node:os';

import type { systemInfo } from '../../engine/info.ts';
import { binarySize } from '../../output/human-size.ts';

type SystemInfo = Awaited<ReturnType<typeof systemInfo>>;

const MISSING = 'not found';

/** The fields that scripts read from `docker info`, and ours under `Box`. */
export function dockerInfo(info: SystemInfo): Record<string, unknown> {
  const { boxes, host } = info;
  return {
    ID: hostname(),
    Containers: boxes.total,
    ContainersRunning: boxes.running,
    ContainersPaused: boxes.paused,
    ContainersStopped: boxes.stopped,
    Images: info.images,
    Driver: 'squashfs',
    LoggingDriver: 'json-file',
    KernelVersion: release(),
    OSType: process.platform,
    Architecture: process.arch === 'x64' ? 'x86_64' : process.arch,
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    DockerRootDir: info.stateDirectory,
    Name: hostname(),
    ServerVersion: info.version,
    Warnings: host.problems,
    Box: {
      Accelerator: host.accelerator,
      AcceleratorReason: host.acceleratorReason,
      QemuVersion: host.qemuVersion,
      KernelVersion: host.kernelVersion,
      AgentVersion: host.agentVersion,
      NodeVersion: info.nodeVersion,
      Programs: host.programs.map(({ name, package: debian, path, neededFor }) => ({
        Name: name,
        Package: debian,
        Path: path,
        NeededFor: neededFor,
      })),
      Problems: host.problems,
    },
  };
}

/** The text for a person. */
export function renderInfo(info: SystemInfo): string {
  const { boxes, host } = info;
  const programs = host.programs.map(({ name, package: debian, path, neededFor }) =>
    path === null
      ? `  ${name}: missing (Debian package ${debian}, needed for ${neededFor})`
      : `  ${name}: ${path}`,
  );
  const problems = host.problems.map((problem) => `  ${problem}`);
  return `Client:
 Version:    ${info.version}
 Node:       ${info.nodeVersion}

Boxes: ${boxes.total}
 Running: ${boxes.running}
 Paused: ${boxes.paused}
 Stopped: ${boxes.stopped}
Images: ${info.images}
State Directory: ${info.stateDirectory}
Accelerator: ${host.accelerator ?? 'not decided'}
 Reason: ${host.acceleratorReason}
QEMU Version: ${host.qemuVersion ?? MISSING}
Guest Kernel: ${host.kernelVersion ?? MISSING}
Guest Agent: ${host.agentVersion ?? MISSING}
Host Kernel: ${release()}
CPUs: ${availableParallelism()}
Total Memory: ${binarySize(totalmem())}
Programs:
${programs.join('\n')}
${problems.length === 0 ? 'Problems: none' : `Problems:\n${problems.join('\n')}`}
`;
}
