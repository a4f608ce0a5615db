/**
 * Words of a Dockerfile: quotes and escapes are taken away and variables put in, much as a shell does (BuildKit's
 * frontend/dockerfile/shell). Pure.
 */
import { goQuote } from '../../../go-quote.ts';
import { DockerfileError } from '../error.ts';
import type { Escape } from '../syntax/tree.ts';
import { Collector } from './collector.ts';
import type { Budget } from './shell-pattern.ts';
import { removeMatch, replaceMatches, tooLong } from './substitute.ts';

export type Variables = Pick<ReadonlyMap<string, string>, 'get'>;

export interface WordOptions {
  escape: Escape;
  /** Quotes stay in the text. */
  keepQuotes?: boolean;
  /** Escapes stay in the text. */
  keepEscapes?: boolean;
  /** Variables that are not set stay as they are written. */
  keepUnset?: boolean;
  /** Quotes are characters like others: the content of a heredoc. */
  plainQuotes?: boolean;
}

export interface Expansion {
  text: string;
  /** The text cut at white space that is neither quoted nor escaped; empty words are none. */
  words: string[];
  /** Variables that were asked for and set: what the text depends on. */
  used: Set<string>;
  /** Those that were asked for and not set. */
  unset: Set<string>;
}

/** How much longer than its source a text may become. */
const GROWTH_MAX = 1024 * 1024;
/** `${a:-${b:-…}}` */
const DEPTH_MAX = 200;
/** Steps of matching patterns in one word. */
const STEPS_MAX = 1_000_000;
const SOURCE_SHOWN_MAX = 1000;

const NAME = /(?:\p{Nd}+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*)/uy;
const PLAIN = /[^$<'"\\`/}\s\u0085]+/y;
const BLANKS = /[\t\r ]*/y;

/**
 * Expands `source` with `variables`.
 * @throws DockerfileError `failed to process "…": …`.
 */
export function expand(source: string, variables: Variables, options: WordOptions): Expansion {
  try {
    return new WordReader(source, variables, options).read();
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    const shown = source.length > SOURCE_SHOWN_MAX ? `${source.slice(0, SOURCE_SHOWN_MAX)}…` : source;
    throw new DockerfileError(`failed to process ${goQuote(shown)}: ${error.message}`, undefined, error);
  }
}

class WordReader {
  readonly #source: string;
  readonly #variables: Variables;
  readonly #options: WordOptions;
  readonly #limit: number;
  readonly #budget: Budget = { steps: STEPS_MAX };
  readonly #used = new Set<string>();
  readonly #unset = new Set<string>();
  #at = 0;
  #depth = 0;
  #keepEscapes: boolean;

  constructor(source: string, variables: Variables, options: WordOptions) {
    this.#source = source;
    this.#variables = variables;
    this.#options = options;
    this.#limit = source.length + GROWTH_MAX;
    this.#keepEscapes = options.keepEscapes ?? false;
  }

  read(): Expansion {
    return { ...this.#readUntil('', this.#keepEscapes), used: this.#used, unset: this.#unset };
  }

  /** Up to `stop`, which is taken as well; to the end when it is empty. */
  #readUntil(stop: string, keepEscapes: boolean): { text: string; words: string[] } {
    const outer = this.#keepEscapes;
    this.#keepEscapes = keepEscapes;
    const collector = new Collector();
    while (this.#at < this.#source.length) {
      const character = this.#peek();
      if (character === stop) {
        this.#at++;
        this.#keepEscapes = outer;
        return collector.end();
      }
      this.#readPart(character, collector);
      if (collector.text.length > this.#limit) throw tooLong();
    }
    if (stop !== '')
      throw new DockerfileError(`unexpected end of statement while looking for matching ${stop}`);
    this.#keepEscapes = outer;
    return collector.end();
  }

  #readPart(character: string, collector: Collector): void {
    const quotes = this.#options.plainQuotes !== true;
    if (character === this.#options.escape) this.#readEscape(collector);
    else if (character === '$') collector.split(this.#readVariable());
    else if (character === '<') collector.add(this.#readHeredocMark());
    else if (character === "'" && quotes) collector.add(this.#readSingleQuotes());
    else if (character === '"' && quotes) collector.add(this.#readDoubleQuotes());
    else collector.split(this.#match(PLAIN) || this.#take());
  }

  #readEscape(collector: Collector): void {
    const escape = this.#take();
    if (this.#keepEscapes) collector.add(escape);
    // An escape at the end is none.
    collector.add(this.#take());
  }

  /** `<<` and the blanks behind it belong to the word that follows. */
  #readHeredocMark(): string {
    this.#at++;
    if (this.#peek() !== '<') return '<';
    this.#at++;
    return `<<${this.#match(BLANKS)}`;
  }

  #readSingleQuotes(): string {
    const end = this.#source.indexOf("'", this.#at + 1);
    if (end < 0) {
      this.#at = this.#source.length;
      throw new DockerfileError('unexpected end of statement while looking for matching single-quote');
    }
    const text = this.#source.slice(this.#at + 1, end);
    this.#at = end + 1;
    return this.#options.keepQuotes === true ? `'${text}'` : text;
  }

  #readDoubleQuotes(): string {
    this.#at++;
    let text = '';
    while (this.#at < this.#source.length) {
      const character = this.#take();
      if (character === '"') return this.#options.keepQuotes === true ? `"${text}"` : text;
      if (character === '$') {
        this.#at--;
        text += this.#readVariable();
        if (text.length > this.#limit) throw tooLong();
      } else if (character === this.#options.escape) {
        if (this.#keepEscapes) text += character;
        // Only these can be escaped; before others the escape is a character.
        const next = this.#peek();
        if (next === '"' || next === '$' || next === this.#options.escape) text += this.#take();
        else if (next !== '') text += character;
      } else text += character;
    }
    throw new DockerfileError('unexpected end of statement while looking for matching double-quote');
  }

  #readVariable(): string {
    this.#at++;
    if (this.#peek() !== '{') {
      const name = this.#match(NAME);
      return name === '' ? '$' : (this.#get(name) ?? (this.#options.keepUnset === true ? `$${name}` : ''));
    }
    this.#at++;
    this.#depth++;
    if (this.#depth > DEPTH_MAX) throw new DockerfileError('substitutions are nested too deeply');
    const text = this.#readSubstitution();
    this.#depth--;
    return text;
  }

  /** Behind `${`. */
  #readSubstitution(): string {
    const first = this.#peek();
    if (first === '') throw missingBrace();
    if (first === '{' || first === '}' || first === ':') {
      throw new DockerfileError('syntax error: bad substitution');
    }
    const name = this.#match(NAME);
    let operator = this.#take();
    if (operator === '}') return this.#get(name) ?? (this.#options.keepUnset === true ? `\${${name}}` : '');
    if (operator === '/') return this.#replace(name);
    const emptyIsUnset = operator === ':';
    if (emptyIsUnset) operator = this.#take();
    if (operator === '') throw missingBrace();
    const written = emptyIsUnset ? `:${operator}` : operator;
    const removes = operator === '#' || operator === '%';
    const known = removes ? !emptyIsUnset : '+-?'.includes(operator) || emptyIsUnset;
    if (!known) throw unsupported(written);
    const word = this.#readPartOfSubstitution('}', removes);
    const value = this.#get(name);
    if (value === undefined && this.#options.keepUnset === true) return `\${${name}${written}${word}}`;
    if (removes) return removeMatch(value ?? '', operator === '#' ? '#' : '%', word, this.#budget);
    const missing = value === undefined || (emptyIsUnset && value === '');
    if (operator === '-') return missing ? word : value;
    if (operator === '+') return missing ? '' : word;
    if (operator !== '?') throw unsupported(written);
    if (!missing) return value;
    const reason = `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`;
    throw new DockerfileError(`${name}: ${word === '' ? reason : word}`);
  }

  #replace(name: string): string {
    const all = this.#peek() === '/';
    if (all) this.#at++;
    const pattern = this.#readPartOfSubstitution('/', true);
    const replacement = this.#readPartOfSubstitution('}', true);
    const value = this.#get(name);
    if (value === undefined && this.#options.keepUnset === true) {
      return `\${${name}/${pattern}/${replacement}}`;
    }
    return replaceMatches(value ?? '', { pattern, replacement, all }, this.#limit, this.#budget);
  }

  #readPartOfSubstitution(stop: '}' | '/', keepEscapes: boolean): string {
    try {
      return this.#readUntil(stop, keepEscapes).text;
    } catch (error) {
      if (this.#at < this.#source.length || !(error instanceof DockerfileError)) throw error;
      throw stop === '}' ? missingBrace() : new DockerfileError("syntax error: missing '/' in ${}");
    }
  }

  #get(name: string): string | undefined {
    const value = this.#variables.get(name);
    (value === undefined ? this.#unset : this.#used).add(name);
    return value;
  }

  #peek(): string {
    return this.#source.charAt(this.#at);
  }

  #take(): string {
    const character = this.#source.charAt(this.#at);
    this.#at++;
    return character;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [text = ''] = pattern.exec(this.#source) ?? [];
    this.#at += text.length;
    return text;
  }
}

function missingBrace(): DockerfileError {
  return new DockerfileError("syntax error: missing '}'");
}

function unsupported(operator: string): DockerfileError {
  return new DockerfileError(`unsupported modifier (${operator}) in substitution`);
}
