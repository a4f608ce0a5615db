/** Go templates for `--format`. Loaded only when one is given. */
import { evaluate, type Options } from './evaluate.ts';
import { functions, type Functions } from './functions.ts';
import { parse, type Node } from './parse.ts';

export { TemplateError } from './error.ts';

export interface Template {
  /** @throws TemplateError */
  run(value: unknown): string;
  /** The line of headings for a `table` template: runs it on the headings, which functions leave alone. */
  heading(headings: unknown): string;
}

/**
 * @param rootType how messages call the type of the values
 * @throws TemplateError when it does not parse
 */
export function compile(source: string, name = '', rootType?: string): Template {
  const nodes: Node[] = parse(source, new Set(Object.keys(functions)));
  const base: Omit<Options, 'functions'> = rootType === undefined ? { name } : { name, rootType };
  return {
    run: (value) => evaluate(source, nodes, value, { ...base, functions }),
    heading: (headings) => evaluate(source, nodes, headings, { ...base, functions: headingFunctions }),
  };
}

const same = (value: unknown): unknown => value;
const headingFunctions: Functions = {
  ...functions,
  json: same,
  title: same,
  lower: same,
  upper: same,
  truncate: same,
};
