/** One instruction after the other, with the variables that are set where it stands (BuildKit's dockerfile2llb, dispatch). */
import { parseSignal } from '../../../state/signals.ts';
import { DockerfileError, withLines } from '../error.ts';
import { parseMount } from '../instructions/mount.ts';
import type { Add, Arg, Copy, Instruction, Run } from '../instructions/types.ts';
import type { BuildPlan } from '../plan/types.ts';
import type { Pair } from '../syntax/tree.ts';
import { type Expansion, expand, type WordOptions } from '../words/expand.ts';
import { exposedPorts } from './ports.ts';
import type { StageVariables } from './stage-variables.ts';
import { checkTransfer } from './transfer-source.ts';

/** What of a plan instructions are evaluated with. */
export type EvaluationPlan = Pick<BuildPlan, 'escape' | 'globals' | 'buildArguments'>;

export class StageEvaluator {
  readonly #plan: EvaluationPlan;
  readonly variables: StageVariables;
  readonly #onUnset: (names: ReadonlySet<string>) => void;

  /**
   * @param variables those of the stage's base; they change with each ENV and ARG
   * @param onUnset is told which variables a word asks for that are not set
   */
  constructor(
    plan: EvaluationPlan,
    variables: StageVariables,
    onUnset: (names: ReadonlySet<string>) => void = () => {},
  ) {
    this.#plan = plan;
    this.variables = variables;
    this.#onUnset = onUnset;
  }

  /**
   * The instruction with its variables put in, its quotes taken away and its values checked. Instructions are to be given in
   * order, because ENV and ARG change what later ones mean.
   * @throws DockerfileError with the instruction's lines.
   */
  evaluate(instruction: Instruction): Instruction {
    return withLines(
      () => instruction.lines,
      () => this.#evaluate(instruction),
    );
  }

  #evaluate(instruction: Instruction): Instruction {
    switch (instruction.kind) {
      case 'add':
      case 'copy':
        return this.#transfer(instruction);
      case 'arg':
        return this.#declare(instruction);
      case 'env': {
        // Each value is made with what was set before the instruction.
        const pairs = this.#pairs(instruction.pairs);
        for (const { key, value } of pairs) this.variables.set(key, value);
        return { ...instruction, pairs };
      }
      case 'expose':
        return { ...instruction, ports: instruction.ports.flatMap((port) => this.#ports(port)) };
      case 'label':
        return { ...instruction, pairs: this.#pairs(instruction.pairs) };
      case 'run':
        return this.#run(instruction);
      case 'stopsignal': {
        const signal = this.#word(instruction.signal);
        parseSignal(signal);
        return { ...instruction, signal };
      }
      case 'user':
        return { ...instruction, name: this.#word(instruction.name) };
      case 'volume': {
        const paths = instruction.paths.map((path) => this.#word(path));
        if (paths.includes('')) {
          throw new DockerfileError('VOLUME specified can not be an empty string');
        }
        return { ...instruction, paths };
      }
      case 'workdir':
        return { ...instruction, path: this.#word(instruction.path) };
      // The program in the box expands these itself, or nobody does.
      case 'cmd':
      case 'entrypoint':
      case 'healthcheck':
      case 'maintainer':
      case 'onbuild':
      case 'shell':
        return instruction;
      default:
        return instruction satisfies never;
    }
  }

  #word(text: string): string {
    return this.#expand(text, { escape: this.#plan.escape }).text;
  }

  #expand(text: string, options: WordOptions): Expansion {
    const expansion = expand(text, this.variables, options);
    if (expansion.unset.size > 0) this.#onUnset(expansion.unset);
    return expansion;
  }

  #pairs(pairs: readonly Pair[]): Pair[] {
    return pairs.map(({ key, value }) => ({ key: this.#word(key), value: this.#word(value) }));
  }

  #ports(text: string): string[] {
    return this.#expand(text, { escape: this.#plan.escape }).words.flatMap(exposedPorts);
  }

  #run(run: Run): Run {
    const mounts = run.mountFields.map((fields) => parseMount(fields, (value) => this.#word(value)));
    return { ...run, mounts };
  }

  #transfer<T extends Copy | Add>(transfer: T): T {
    const done = {
      ...transfer,
      chown: this.#word(transfer.chown),
      chmod: this.#word(transfer.chmod),
      sources: transfer.sources.map((source) => this.#word(source)),
      destination: this.#word(transfer.destination),
      files: transfer.files.map((file) =>
        file.expand ? { ...file, content: this.#content(file.content) } : file,
      ),
      ...(transfer.kind === 'add' ? { checksum: this.#word(transfer.checksum) } : {}),
    };
    checkTransfer(done);
    return done;
  }

  /** In heredocs the escape is always a backslash, and quotes are characters like others. */
  #content(text: string): string {
    return this.#expand(text, { escape: '\\', plainQuotes: true }).text;
  }

  /** `--build-arg`, else the value in the stage, else that of the global scope. */
  #declare(instruction: Arg): Arg {
    const { buildArguments, globals } = this.#plan;
    const declared = instruction.arguments.map((argument) => {
      const { key, value } = argument;
      const own = value === null ? globals.get(key) : undefined;
      const given = buildArguments.get(key) ?? own ?? (value === null ? undefined : this.#word(value));
      this.variables.declare(key, given);
      return { ...argument, value: given ?? null };
    });
    return { ...instruction, arguments: declared };
  }
}
