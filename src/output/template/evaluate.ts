/** Runs a parsed template on a value; after text/template's exec. */
import { TemplateError } from './error.ts';
import { ARITY, FunctionError, type Functions } from './functions.ts';
import { position } from './lex.ts';
import type { Command, Node, Operand, Pipeline } from './parse.ts';
import { Row } from './row.ts';
import { goString, isCallable, isMap, isStruct, isTrue, typeName } from './value.ts';

export interface Options {
  functions: Functions;
  /** The template's name in messages. */
  name: string;
  /** How a message calls the type of the value the template runs on. */
  rootType?: string;
}

interface Variable {
  name: string;
  value: unknown;
}

/** Leaves the innermost `range`. */
class LoopExit extends Error {
  readonly again: boolean;
  constructor(again: boolean) {
    super();
    this.again = again;
  }
}

/**
 * The whole output.
 * @throws TemplateError in Go's words
 */
export function evaluate(source: string, nodes: readonly Node[], root: unknown, options: Options): string {
  const evaluation = new Evaluation(source, root, options);
  evaluation.run(nodes, root);
  return evaluation.output;
}

class Evaluation {
  private readonly source: string;
  private readonly root: unknown;
  private readonly options: Options;
  private readonly variables: Variable[];
  output = '';

  constructor(source: string, root: unknown, options: Options) {
    this.source = source;
    this.root = root;
    this.options = options;
    this.variables = [{ name: '$', value: root }];
  }

  run(nodes: readonly Node[], dot: unknown): void {
    const known = this.variables.length;
    for (const node of nodes) {
      if (node.type === 'text') this.output += node.text;
      else if (node.type === 'print') this.print(node.pipeline, dot);
      else if (node.type === 'range') this.range(node, dot);
      else if (node.type === 'if' || node.type === 'with') this.branch(node, dot);
      else throw new LoopExit(node.type === 'continue');
    }
    this.variables.length = known;
  }

  private print(pipeline: Pipeline, dot: unknown): void {
    const value = this.pipeline(pipeline, dot);
    if (pipeline.variables.length === 0) this.output += goString(value);
  }

  private branch(node: Node & { type: 'if' | 'with' | 'range' }, dot: unknown): void {
    const known = this.variables.length;
    const value = this.pipeline(node.pipeline, dot);
    if (isTrue(value)) this.run(node.body, node.type === 'with' ? value : dot);
    else this.run(node.otherwise, dot);
    this.variables.length = known;
  }

  private range(node: Node & { type: 'if' | 'with' | 'range' }, dot: unknown): void {
    const known = this.variables.length;
    const { variables, declares } = node.pipeline;
    const value = this.pipeline({ ...node.pipeline, variables: [] }, dot);
    const items = this.items(value, node.pipeline);
    for (const [key, item] of items) {
      const [first, second] = variables;
      if (first !== undefined) this.assign(first, second === undefined ? item : key, declares);
      if (second !== undefined) this.assign(second, item, declares);
      try {
        this.run(node.body, item);
      } catch (error) {
        if (!(error instanceof LoopExit)) throw error;
        if (!error.again) break;
      } finally {
        this.variables.length = known;
      }
    }
    if (items.length === 0) this.run(node.otherwise, dot);
    this.variables.length = known;
  }

  private items(value: unknown, pipeline: Pipeline): [unknown, unknown][] {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return value.map((item: unknown, index) => [index, item]);
    if (value instanceof Map) {
      return [...value].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    }
    if (typeof value === 'number' && Number.isInteger(value)) {
      return Array.from({ length: Math.max(0, value) }, (_each, index) => [index, index]);
    }
    const text = pipeline.commands.map((command) => command.text).join(' | ');
    throw this.fail(`range can't iterate over ${goString(value)}`, pipeline.at, text);
  }

  private pipeline(pipeline: Pipeline, dot: unknown): unknown {
    let value: unknown;
    for (const [index, command] of pipeline.commands.entries()) {
      value = this.command(command, dot, index === 0 ? [] : [value]);
    }
    for (const name of pipeline.variables) this.assign(name, value, pipeline.declares);
    return value;
  }

  private assign(name: string, value: unknown, declares: boolean): void {
    const known = this.variables.findLast((variable) => variable.name === name);
    if (declares || known === undefined) this.variables.push({ name, value });
    else known.value = value;
  }

  private command(command: Command, dot: unknown, piped: unknown[]): unknown {
    const [first, ...others] = command.operands;
    if (first.type === 'function') {
      const args = this.lazyArguments(first.name, others, dot, piped);
      return this.walk(this.call(first, args, command.text), first.path, first);
    }
    if (first.type === 'nil') throw this.fail('nil is not a command', first.at, first.text);
    const value = this.operand(first, dot);
    if (isCallable(value)) {
      return value(...others.map((each) => this.argument(each, dot)), ...piped);
    }
    if (others.length > 0 || piped.length > 0) {
      throw this.fail(notCallable(first), first.at, first.text);
    }
    return value;
  }

  /** Arguments in order; `and` and `or` stop at the first that decides. */
  private lazyArguments(
    name: string,
    operands: readonly Operand[],
    dot: unknown,
    piped: unknown[],
  ): unknown[] {
    const args: unknown[] = [];
    for (const operand of operands) {
      const value = this.argument(operand, dot);
      args.push(value);
      if ((name === 'and' && !isTrue(value)) || (name === 'or' && isTrue(value))) return args;
    }
    return [...args, ...piped];
  }

  private argument(operand: Operand, dot: unknown): unknown {
    if (operand.type === 'function') {
      return this.walk(this.call(operand, [], operand.name), operand.path, operand);
    }
    const value = this.operand(operand, dot);
    return isCallable(value) ? value() : value;
  }

  private call(operand: Operand & { type: 'function' }, args: unknown[], text: string): unknown {
    const { name, at } = operand;
    const want = ARITY[name];
    if (want !== undefined && args.length !== want) {
      const message = `wrong number of args for ${name}: want ${want} got ${args.length}`;
      throw this.fail(message, at, name);
    }
    try {
      return this.options.functions[name]?.(...args);
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      throw this.fail(`error calling ${name}: ${error.message}`, at, text);
    }
  }

  private operand(operand: Operand, dot: unknown): unknown {
    switch (operand.type) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'constant':
        return operand.value;
      case 'field':
        return this.walk(dot, operand.path, operand);
      case 'variable': {
        const variable = this.variables.findLast(({ name }) => name === operand.name);
        return this.walk(variable?.value, operand.path, operand);
      }
      case 'pipeline':
        return this.walk(this.pipeline(operand.pipeline, dot), operand.path, operand);
      default:
        return this.walk(this.call(operand, [], operand.name), operand.path, operand);
    }
  }

  private walk(start: unknown, path: readonly string[], operand: Operand): unknown {
    let value = start;
    for (const [index, name] of path.entries()) {
      if (isMap(value)) value = value.get(name);
      else if (value instanceof Row) {
        const field = value.look(name);
        if (field === undefined) throw this.noField(value, name, operand);
        ({ value } = field);
      } else if (isStruct(value)) {
        // A field without a value is not in the JSON. Docker's templates see the struct first, where it is nil, and the JSON when
        // they want more of it than nil has.
        const isLast = index === path.length - 1;
        const isThere = Object.hasOwn(value, name) && (isLast || value[name] !== undefined);
        if (!isThere) throw this.noField(value, name, operand);
        value = value[name] ?? null;
      } else if (value === null || value === undefined) {
        throw this.fail(`nil data; no entry for key ${JSON.stringify(name)}`, operand.at, operand.text);
      } else {
        const message = `can't evaluate field ${name} in type ${typeName(value)}`;
        throw this.fail(message, operand.at, operand.text);
      }
    }
    return value;
  }

  private noField(owner: object, name: string, operand: Operand): TemplateError {
    const type = owner === this.root ? this.options.rootType : undefined;
    const message =
      type === undefined
        ? `map has no entry for key ${JSON.stringify(name)}`
        : `can't evaluate field ${name} in type ${type}`;
    return this.fail(message, operand.at, operand.text);
  }

  private fail(message: string, at: number, text: string): TemplateError {
    const { line, column } = position(this.source, at);
    const name = JSON.stringify(this.options.name);
    return new TemplateError(`:${line}:${column}: executing ${name} at <${text}>: ${message}`);
  }
}

function notCallable(operand: Operand): string {
  if (operand.type !== 'field') return `can't give argument to non-function ${operand.text}`;
  return `${operand.path.at(-1)} is not a method but has arguments`;
}
