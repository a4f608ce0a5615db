/** `--change` of `commit` and `import`: Dockerfile instructions that alter a configuration (moby, builder/dockerfile: BuildFromConfig). */
import { posix } from 'node:path';

import { A3sError } from '../../errors.ts';
import { DEFAULT_SHELL, shellForm } from '../dockerfile/evaluate/command-line.ts';
import { StageEvaluator } from '../dockerfile/evaluate/stage-evaluator.ts';
import { StageVariables } from '../dockerfile/evaluate/stage-variables.ts';
import { parseInstruction } from '../dockerfile/instructions/parse-instruction.ts';
import type { Instruction } from '../dockerfile/instructions/types.ts';
import { parseSyntax } from '../dockerfile/syntax/parse-syntax.ts';
import { applyInstruction } from './apply-instruction.ts';
import { readRunConfiguration, type RunConfiguration, runConfigurationJson } from './configuration.ts';
import { goJsonText } from './go-json.ts';

type Config = Record<string, unknown>;

/** moby's validCommitCommands. */
const KNOWN = ['cmd', 'entrypoint', 'healthcheck', 'env', 'expose', 'label', 'onbuild', 'stopsignal'];
const ALLOWED: ReadonlySet<string> = new Set([...KNOWN, 'user', 'volume', 'workdir']);

/**
 * The `config` of an image with the instructions applied, in order, variables of its environment expanded. Members that no instruction
 * knows stay.
 * @throws A3sError `usage` in the words of the builder.
 */
export function applyChanges(config: Config, changes: readonly string[]): Config {
  if (changes.length === 0) return config;
  try {
    return changed(config, changes.join('\n'));
  } catch (cause) {
    if (!(cause instanceof A3sError) || cause.code !== 'invalid_config') throw cause;
    throw new A3sError('usage', cause.message, { cause });
  }
}

function changed(config: Config, text: string): Config {
  const { escape, instructions } = parseChanges(text);
  const run = readRunConfiguration({ config, rootfs: {} });
  const evaluator = new StageEvaluator(
    { escape, globals: new Map(), buildArguments: new Map() },
    StageVariables.ofImage(run.env),
  );
  let keepsCommand = false;
  for (const instruction of instructions) {
    const evaluated = evaluator.evaluate(instruction);
    keepsCommand ||= evaluated.kind === 'cmd';
    applyInstruction(run, evaluated, {
      words: wordsOf(evaluated, run),
      declared: [],
      workingDirectory:
        evaluated.kind === 'workdir' ? posix.resolve('/', run.workingDir, evaluated.path) : run.workingDir,
      keepsCommand,
    });
  }
  return merged(config, run);
}

function parseChanges(text: string): { escape: '\\' | '`'; instructions: Instruction[] } {
  const { nodes, escape } = parseSyntax(text);
  const bad = nodes.find(({ keyword }) => !ALLOWED.has(keyword));
  if (bad !== undefined) {
    throw new A3sError('usage', `${bad.keyword} is not a valid change command`, {
      hint: `known are ${[...ALLOWED].map((word) => word.toUpperCase()).join(', ')}`,
    });
  }
  const instructions = nodes.map((node) => parseInstruction(node));
  return { escape, instructions: instructions.filter((instruction) => instruction.kind !== 'from') };
}

function wordsOf(instruction: Instruction, run: RunConfiguration): readonly string[] {
  if (instruction.kind !== 'cmd' && instruction.kind !== 'entrypoint') return [];
  return shellForm(instruction, run.shell.length > 0 ? run.shell : DEFAULT_SHELL);
}

/** What is empty now is null where it was not before: the arguments of an entrypoint that was replaced. */
function merged(config: Config, run: RunConfiguration): Config {
  // Set for Windows alone by the builder whose rules these are.
  const made: Config = JSON.parse(goJsonText(runConfigurationJson({ ...run, argsEscaped: false })));
  const emptied = ['Cmd', 'Entrypoint'].filter((key) => !(key in made) && config[key] != null);
  return { ...config, ...Object.fromEntries(emptied.map((key) => [key, null])), ...made };
}
