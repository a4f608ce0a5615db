/** What an evaluated instruction changes of a configuration (BuildKit, dockerfile2llb/convert.go). */
import type { HistoryDetails } from '../dockerfile/evaluate/history.ts';
import type { Instruction } from '../dockerfile/instructions/types.ts';
import type { RunConfiguration } from './configuration.ts';

export interface InstructionDetails extends HistoryDetails {
  /** ENTRYPOINT takes no arguments that were meant for the one of the base. */
  keepsCommand: boolean;
}

/** Changes `run`, which belongs to the caller alone. */
export function applyInstruction(
  run: RunConfiguration,
  instruction: Instruction,
  { words, workingDirectory, keepsCommand }: InstructionDetails,
): void {
  switch (instruction.kind) {
    case 'cmd':
      run.cmd = [...words];
      // Meant for Windows; BuildKit sets it for every system.
      run.argsEscaped = true;
      return;
    case 'entrypoint':
      run.entrypoint = [...words];
      if (!keepsCommand) run.cmd = [];
      return;
    case 'env':
      for (const { key, value } of instruction.pairs) run.env = withVariable(run.env, key, value);
      return;
    case 'expose':
      for (const port of instruction.ports) run.exposedPorts.add(port);
      return;
    case 'healthcheck': {
      const { test, interval, timeout, startPeriod, startInterval, retries } = instruction;
      run.healthcheck = {
        test,
        interval,
        timeout,
        start_period: startPeriod,
        start_interval: startInterval,
        retries,
      };
      return;
    }
    case 'label':
      for (const { key, value } of instruction.pairs) run.labels.set(key, value);
      return;
    case 'onbuild':
      run.onBuild.push(instruction.expression);
      return;
    case 'shell':
      run.shell = [...instruction.words];
      return;
    case 'stopsignal':
      run.stopSignal = instruction.signal;
      return;
    case 'user':
      run.user = instruction.name;
      return;
    case 'volume':
      for (const path of instruction.paths) run.volumes.add(path);
      return;
    case 'workdir':
      run.workingDir = workingDirectory;
      return;
    // Files and variables of the build alone.
    case 'add':
    case 'arg':
    case 'copy':
    case 'maintainer':
    case 'run':
      return;
    default:
      instruction satisfies never;
  }
}

/** The variable in the place of an older one of its name, else at the end. */
export function withVariable(env: readonly string[], name: string, value: string): string[] {
  const text = `${name}=${value}`;
  const at = env.findIndex((variable) => variable.split('=', 1)[0] === name);
  return at < 0 ? [...env, text] : env.with(at, text);
}
