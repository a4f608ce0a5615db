/** How the Dockerfile is written: rules that need nothing but its text. */
import { splitAtSpace } from '../dockerfile/characters.ts';
import type { Stage } from '../dockerfile/parse-dockerfile.ts';
import { wordsOf } from '../dockerfile/instructions/words-of.ts';
import type { SyntaxNode, SyntaxTree } from '../dockerfile/syntax/tree.ts';
import type { Findings } from './findings.ts';
import { messages } from './rules.ts';

const RESERVED = ['context', 'scratch'];

/**
 * Each instruction by itself, in order.
 * @param until the first line of the instruction that cannot be understood; undefined when all can
 */
export function lintSyntax(tree: SyntaxTree, until: number | undefined, findings: Findings): void {
  for (const { lines } of tree.warnings) {
    const line = { first: lines.last, last: lines.last };
    findings.add('NoEmptyContinuation', messages.noEmptyContinuation(), line);
  }
  for (const node of tree.nodes) {
    if (until !== undefined && node.lines.first > until) return;
    const here = findings.below(node.comments);
    const understood = node.lines.first !== until;
    if (node.keyword === 'maintainer') {
      here.add('MaintainerDeprecated', messages.maintainer(), node.lines);
    } else if (node.keyword === 'from') lintFrom(node, understood, here);
    else if (node.keyword === 'arg' && understood) {
      const names = wordsOf(node).map((word) => word.split('=', 1)[0] ?? '');
      lintDescription('ARG', names, node, here);
    }
  }
}

function lintFrom(node: SyntaxNode, understood: boolean, findings: Findings): void {
  const [, as = '', stage = ''] = wordsOf(node);
  if (wordsOf(node).length >= 3) {
    if (wordsOf(node).length === 3 && stage !== stage.toLowerCase()) {
      findings.add('StageNameCasing', messages.stageNameCasing(stage), node.lines);
    }
    const { word } = node;
    const expected =
      word === word.toLowerCase() ? as.toLowerCase() : word === word.toUpperCase() ? as.toUpperCase() : as;
    if (as !== expected) findings.add('FromAsCasing', messages.fromAsCasing(word, as), node.lines);
  }
  if (understood && stage !== '') lintDescription('FROM', [stage.toLowerCase()], node, findings);
}

function lintDescription(
  instruction: 'ARG' | 'FROM',
  names: readonly string[],
  { comments, lines }: SyntaxNode,
  findings: Findings,
): void {
  const comment = comments.at(-1);
  if (comment === undefined || names.includes(comment.split(' ', 1)[0] ?? '')) return;
  const [name = '', ...more] = names;
  const example = more.length > 0 ? '<arg_key>' : name;
  findings.add('InvalidDefinitionDescription', messages.description(instruction, example), lines);
}

export function lintStageNames(stages: readonly Stage[], findings: Findings): void {
  const known = new Set<string>();
  for (const { from } of stages) {
    const { name, lines } = from;
    if (name === '') continue;
    if (RESERVED.includes(name)) {
      findings.add('ReservedStageName', messages.reservedStageName(name), lines);
    }
    if (known.has(name)) findings.add('DuplicateStageName', messages.duplicateStageName(name), lines);
    known.add(name);
  }
}

/** Instructions in stages; the majority of those that are in one case says which. */
export function lintCasing(stages: readonly Stage[], findings: Findings): void {
  const written = stages.flatMap(({ from, instructions }) =>
    [from, ...instructions].map((each) => ({ word: wordOf(each.source), lines: each.lines })),
  );
  const lower = written.filter(({ word }) => word === word.toLowerCase()).length;
  const upper = written.filter(({ word }) => word === word.toUpperCase()).length;
  const casing = lower > upper ? 'lowercase' : 'uppercase';
  for (const { word, lines } of written) {
    const right = casing === 'lowercase' ? word.toLowerCase() : word.toUpperCase();
    if (word === right) continue;
    findings.add('ConsistentInstructionCasing', messages.instructionCasing(word, casing), lines);
  }
}

/** The instruction's name as it is written. */
export function wordOf(source: string): string {
  return splitAtSpace(source.slice(0, WORD_MAX))[0] ?? '';
}

/** No instruction's name is longer. */
const WORD_MAX = 64;
