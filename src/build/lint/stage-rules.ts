/** Rules about the instructions of a stage, as they are once variables are expanded. */
import { posix } from 'node:path';

import { IgnoreRules } from '../dockerignore.ts';
import { trimStart } from '../dockerfile/characters.ts';
import { transferSourceKind } from '../dockerfile/evaluate/transfer-source.ts';
import type { Lines } from '../dockerfile/error.ts';
import type { Add, Command, Copy, Instruction, Written } from '../dockerfile/instructions/types.ts';
import type { Findings } from './findings.ts';
import { messages } from './rules.ts';
import { wordOf } from './written.ts';

const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
/** What makes a name with one of those words harmless. */
const NO_SECRET = /(?:_|^)(?:public|file|version)(?:_|$)/i;
/** Patterns that leave nothing of a context. */
const EVERYTHING = ['*', '**', '**/*'];

export interface StageState {
  /** A WORKDIR has been set in the Dockerfile. */
  workdir: boolean;
  /** The image has a shell of its own. */
  shell: boolean;
}

export class StageRules {
  readonly #state: StageState;
  readonly #ignore: { patterns: readonly string[]; rules: IgnoreRules } | undefined;
  /** Where instructions of which the last one counts stand. */
  readonly #once = new Map<string, Lines>();

  /** @param state of the stage's base; changed by the instructions */
  constructor(state: StageState, ignorePatterns: readonly string[]) {
    this.#state = state;
    if (ignorePatterns.length === 0) return;
    const rules = new IgnoreRules(ignorePatterns);
    // Whether a path below an exception is there is more than its name says.
    if (!rules.hasExceptions) this.#ignore = { patterns: ignorePatterns, rules };
  }

  /** @param evaluated the instruction with its variables put in */
  lint(evaluated: Instruction, findings: Findings): void {
    switch (evaluated.kind) {
      case 'add':
      case 'copy':
        return this.#transfer(evaluated, findings);
      case 'arg':
        for (const { key } of evaluated.arguments) secret('ARG', key, evaluated, findings);
        return;
      case 'cmd':
      case 'entrypoint':
        this.#lastCounts(evaluated, findings);
        return this.#command(evaluated, findings);
      case 'env':
        return evaluated.pairs.forEach(({ key }) => {
          legacyPair(evaluated, findings);
          secret('ENV', key, evaluated, findings);
        });
      case 'healthcheck':
        return this.#lastCounts(evaluated, findings);
      case 'label':
        return legacyPair(evaluated, findings);
      case 'shell':
        this.#state.shell = true;
        return;
      case 'workdir':
        if (!this.#state.workdir && !posix.isAbsolute(evaluated.path)) {
          findings.add('WorkdirRelativePath', messages.relativeWorkdir(evaluated.path), evaluated.lines);
        }
        this.#state.workdir = true;
        return;
      default:
    }
  }

  /** The earlier one is to blame: it says nothing. */
  #lastCounts(instruction: Instruction, findings: Findings): void {
    const earlier = this.#once.get(instruction.kind);
    if (earlier !== undefined) {
      findings.add('MultipleInstructionsDisallowed', messages.multiple(wordOf(instruction.source)), earlier);
    }
    this.#once.set(instruction.kind, instruction.lines);
  }

  #command(command: Command & Written, findings: Findings): void {
    if (!command.shell || this.#state.shell) return;
    findings.add('JSONArgsRecommended', messages.jsonRecommended(wordOf(command.source)), command.lines);
  }

  #transfer(transfer: Add | Copy, findings: Findings): void {
    if (this.#ignore === undefined || (transfer.kind === 'copy' && transfer.from !== '')) return;
    const verb = transfer.kind === 'copy' ? 'Copy' : 'Add';
    for (const source of transfer.sources) {
      if (transferSourceKind(source) !== 'path') continue;
      const path = posix.normalize(source).replace(/(?<=.)\/$/, '');
      if (!this.#isIgnored(path, this.#ignore)) continue;
      findings.add('CopyIgnoredFile', messages.ignoredFile(verb, path), transfer.lines);
    }
  }

  #isIgnored(
    path: string,
    { patterns, rules }: { patterns: readonly string[]; rules: IgnoreRules },
  ): boolean {
    if (path === '.' || path === '/') return patterns.some((pattern) => EVERYTHING.includes(pattern));
    return rules.ignores(path);
  }
}

function secret(instruction: 'ARG' | 'ENV', name: string, { lines }: Written, findings: Findings): void {
  if (!SECRET.test(name) || NO_SECRET.test(name)) return;
  findings.add('SecretsUsedInArgOrEnv', messages.secret(instruction, name), lines);
}

/** `ENV name value`: what the first word has no `=` in. */
function legacyPair({ source, lines }: Written, findings: Findings): void {
  const word = wordOf(source);
  const rest = trimStart(source.slice(word.length));
  const [first = ''] = /^\S*/.exec(rest) ?? [];
  if (!first.includes('=') && !first.startsWith('"') && !first.startsWith("'")) {
    findings.add('LegacyKeyValueFormat', messages.legacyPair(word), lines);
  }
}

/** EXPOSE, as it is written once variables are put in. */
export function lintPorts(ports: readonly string[], lines: Lines, findings: Findings): void {
  for (const port of ports) {
    const parts = port.split(':');
    const [, protocol = ''] = (parts.at(-1) ?? '').split('/', 2);
    if (protocol !== protocol.toLowerCase()) {
      findings.add('ExposeProtoCasing', messages.protocolCasing(port), lines);
    }
    if (parts.some((part, index) => index < parts.length - 1 && part !== '')) {
      findings.add('ExposeInvalidFormat', messages.exposeFormat(port), lines);
    }
  }
}
