/**
 * Command-line parsing with the semantics of pflag, the library that Docker's client uses:
 * clusters (`-itd`), glued values (`-p80:80`, `-e=K`), `--flag=value`, booleans that take a value only
 * after `=`, `--` ends the flags, and, where a command says so, the first operand ends them too.
 */
import { A3sError } from '../../errors.ts';
import { goQuote } from '../../go-quote.ts';
import { BadValue, kinds, type Kind } from './kinds.ts';
import type { FlagSet, FlagSpec, FlagValues } from './spec.ts';

export interface ParsedFlags<F extends FlagSet> {
  values: FlagValues<F>;
  /** Long names of the flags that were given. */
  given: ReadonlySet<string>;
  operands: string[];
  /** `--help` (or `-h`, where no flag has that letter) was given. */
  help: boolean;
}

export interface ParseOptions {
  /** False: flags stop at the first operand. */
  interspersed: boolean;
}

const HELP: FlagSpec = { kind: 'bool', help: 'Print usage' };

/**
 * @throws A3sError `usage` in pflag's words; `unsupported` for a flag of Docker's that is refused. Both exit with 125.
 */
export function parseFlags<const F extends FlagSet>(
  flags: F,
  args: readonly string[],
  options: ParseOptions,
): ParsedFlags<F> {
  const parser = new Parser(flags);
  const operands = parser.parse(args, options.interspersed);
  const help = parser.values.get('help') === true;
  parser.values.delete('help');
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value was made by its flag's kind
    values: Object.fromEntries(parser.values) as FlagValues<F>,
    given: parser.given,
    operands,
    help,
  };
}

class Parser {
  readonly values = new Map<string, unknown>();
  readonly given = new Set<string>();
  private readonly flags: Map<string, FlagSpec>;
  private readonly letters = new Map<string, string>([['h', 'help']]);

  constructor(flags: FlagSet) {
    this.flags = new Map([['help', HELP], ...Object.entries(flags)]);
    for (const [name, spec] of this.flags) {
      if (spec.short !== undefined) this.letters.set(spec.short, name);
      if (spec.refused !== undefined || spec.aliasOf !== undefined) continue;
      const kind = kinds[spec.kind] as Kind<unknown>;
      this.values.set(name, spec.default === undefined ? kind.zero : kind.parse(kind.zero, spec.default));
    }
  }

  parse(args: readonly string[], interspersed: boolean): string[] {
    const rest = [...args];
    const operands: string[] = [];
    for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
      if (arg === '--') return [...operands, ...rest];
      if (!arg.startsWith('-') || arg === '-') {
        operands.push(arg);
        if (!interspersed) return [...operands, ...rest];
      } else if (arg.startsWith('--')) this.long(arg, rest);
      else this.cluster(arg.slice(1), rest);
    }
    return operands;
  }

  private long(arg: string, rest: string[]): void {
    const equals = arg.indexOf('=');
    const name = equals === -1 ? arg.slice(2) : arg.slice(2, equals);
    if (name === '' || name.startsWith('-')) throw usage(`bad flag syntax: ${arg}`);
    const spec = this.flags.get(name);
    if (spec === undefined) throw usage(`unknown flag: --${name}`);
    if (equals !== -1) this.set(name, spec, arg.slice(equals + 1));
    else if (spec.kind === 'bool') this.set(name, spec, 'true');
    else {
      const value = rest.shift();
      if (value === undefined) throw usage(`flag needs an argument: --${name}`);
      this.set(name, spec, value);
    }
  }

  private cluster(letters: string, rest: string[]): void {
    for (let left = letters; left !== '';) {
      const letter = left.charAt(0);
      const name = this.letters.get(letter);
      const spec = name === undefined ? undefined : this.flags.get(name);
      if (name === undefined || spec === undefined) {
        throw usage(`unknown shorthand flag: '${letter}' in -${left}`);
      }
      const glued = left.slice(1);
      if (glued.length > 1 && glued.startsWith('=')) return this.set(name, spec, glued.slice(1));
      if (spec.kind === 'bool') {
        this.set(name, spec, 'true');
        left = glued;
        continue;
      }
      const value = glued === '' ? rest.shift() : glued;
      if (value === undefined) throw usage(`flag needs an argument: '${letter}' in -${left}`);
      return this.set(name, spec, value);
    }
  }

  private set(name: string, spec: FlagSpec, text: string): void {
    const kind = kinds[spec.kind] as Kind<unknown>;
    const target = spec.aliasOf ?? name;
    try {
      const value = kind.parse(this.values.get(target) ?? kind.zero, text);
      if (spec.refused !== undefined) {
        if (isHarmless(spec, value, text)) return;
        throw refusal(name, spec.refused);
      }
      this.values.set(target, value);
      this.given.add(target);
    } catch (error) {
      if (!(error instanceof BadValue)) throw error;
      const shown = spec.short === undefined ? `--${name}` : `-${spec.short}, --${name}`;
      throw usage(`invalid argument ${goQuote(text)} for "${shown}" flag: ${error.message}`);
    }
  }
}

/** Asks for what happens anyway. */
function isHarmless(spec: FlagSpec, value: unknown, text: string): boolean {
  if (spec.kind === 'bool') return value === (spec.default === 'true');
  return text === spec.default || spec.accepts?.includes(text) === true;
}

function refusal(name: string, why: true | string): A3sError {
  const message = why === true ? `--${name} is not supported yet` : `--${name} is not supported: ${why}`;
  return new A3sError('unsupported', message, { exitStatus: 125 });
}

function usage(message: string): A3sError {
  return new A3sError('usage', message, { exitStatus: 125 });
}
