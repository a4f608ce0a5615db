/** From the text of a Dockerfile to its stages. Pure. */
import { A3sError } from '../../errors.ts';
import { DockerfileError, type Lines } from './error.ts';
import { parseInstruction } from './instructions/parse-instruction.ts';
import type { Arg, From, Instruction } from './instructions/types.ts';
import { parseSyntax } from './syntax/parse-syntax.ts';
import type { Directives, Escape, Warning } from './syntax/tree.ts';

export interface Dockerfile {
  /** As they are written, by name. */
  directives: Directives;
  escape: Escape;
  /** ARGs before the first FROM: what FROM may use, and the defaults of ARGs in stages. */
  globalArguments: Arg[];
  /** At least one. */
  stages: Stage[];
  warnings: Warning[];
}

/** A FROM and the instructions up to the next one. */
export interface Stage {
  from: From;
  instructions: Instruction[];
}

/**
 * Parses a whole Dockerfile.
 * @throws DockerfileError in BuildKit's words, with the lines to blame.
 */
export function parseDockerfile(text: string): Dockerfile {
  if (text === '') throw new DockerfileError('the Dockerfile cannot be empty');
  const { nodes, ...rest } = parseSyntax(text);
  const globalArguments: Arg[] = [];
  const stages: Stage[] = [];
  for (const node of nodes) {
    const instruction = atLine(node.lines, () => parseInstruction(node));
    const stage = stages.at(-1);
    if (instruction.kind === 'from') stages.push({ from: instruction, instructions: [] });
    else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globalArguments.push(instruction);
    else throw new DockerfileError('no build stage in current context', node.lines);
  }
  if (stages.length === 0) throw new DockerfileError('dockerfile contains no stages to build');
  return { ...rest, globalArguments, stages };
}

/**
 * The instruction in an image's ONBUILD, as if it stood at `lines`, where the FROM is.
 * @throws DockerfileError
 */
export function parseTrigger(expression: string, lines: Lines): Instruction {
  try {
    const [node, ...more] = parseSyntax(expression).nodes;
    if (node === undefined || more.length > 0) {
      throw new DockerfileError('onbuild trigger should be a single expression');
    }
    const instruction = parseInstruction({ ...node, lines });
    if (instruction.kind !== 'from') return instruction;
    throw new DockerfileError("FROM isn't allowed as an ONBUILD trigger");
  } catch (error) {
    // Lines in the trigger mean nothing to who reads the Dockerfile.
    throw error instanceof A3sError ? new DockerfileError(error.message, lines, error) : error;
  }
}

function atLine<T>(lines: Lines, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof A3sError)) throw error;
    const message = `dockerfile parse error on line ${lines.first}: ${error.message}`;
    throw new DockerfileError(message, lines, error);
  }
}
