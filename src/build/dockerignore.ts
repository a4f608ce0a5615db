/**
 * `.dockerignore`: which files of a context are not sent (github.com/moby/patternmatcher and its ignorefile). Pure. The same
 * patterns serve `--exclude` of COPY and ADD.
 */
import { posix } from 'node:path';

import { A3sError } from '../errors.ts';
import { trim } from './dockerfile/characters.ts';
import { compilePathPattern, type PathPattern } from './path-pattern.ts';

const BYTE_ORDER_MARK = '\ufeff';
/** A line beyond this cannot be a path (Linux, PATH_MAX), and matching has to stay fast. */
const PATTERN_MAX = 4096;

interface Rule {
  /** `!pattern`: what it matches is sent after all. */
  exception: boolean;
  pattern: PathPattern;
}

/** What the rules say of a directory, for the entries in it. */
export type ParentMatches = readonly boolean[];

export interface IgnoreVerdict {
  ignored: boolean;
  /** To be passed on for the entries of this directory. */
  matches: ParentMatches;
}

/**
 * The patterns of a file, normalised. A line that begins with `#` is a comment.
 */
export function readIgnoreFile(text: string): string[] {
  const content = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  return content.split('\n').flatMap((line) => {
    const pattern = trim(line);
    if (line.startsWith('#') || pattern === '') return [];
    return pattern.startsWith('!') ? [`!${relative(trim(pattern.slice(1)))}`] : [relative(pattern)];
  });
}

/** Slashes at both ends say nothing: patterns are relative to the context. */
function relative(pattern: string): string {
  if (pattern === '') return '';
  const path = clean(pattern);
  return path.length > 1 && path.startsWith('/') ? path.slice(1) : path;
}

/** Go's filepath.Clean. */
function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

export class IgnoreRules {
  readonly #rules: readonly Rule[];

  /**
   * @param patterns in order: the last one that matches a path decides
   * @throws A3sError `usage` naming a pattern that is none.
   */
  constructor(patterns: readonly string[]) {
    this.#rules = patterns.flatMap((line) => {
      const pattern = trim(line);
      return pattern === '' ? [] : [parseRule(clean(pattern))];
    });
  }

  /** True when a path below an ignored directory may be sent after all, so that the directory has to be walked. */
  get hasExceptions(): boolean {
    return this.#rules.some((rule) => rule.exception);
  }

  /** True when the path, relative to the context, or a directory above it is ignored and no later exception says otherwise. */
  ignores(path: string): boolean {
    const normal = clean(path);
    return normal !== '.' && this.verdict(normal).ignored;
  }

  /**
   * What the rules say of an entry.
   * @param path relative to the context, cleaned
   * @param parent what the rules said of its directory; without it every directory above is looked at
   */
  verdict(path: string, parent?: ParentMatches): IgnoreVerdict {
    const above = parent === undefined ? directoriesAbove(path) : [];
    let ignored = false;
    const matches = this.#rules.map(({ exception, pattern }, index) => {
      const matched =
        parent?.[index] === true || pattern(path) || above.some((directory) => pattern(directory));
      if (matched) ignored = !exception;
      return matched;
    });
    return { ignored, matches };
  }
}

function parseRule(line: string): Rule {
  const exception = line.startsWith('!');
  const pattern = exception ? line.slice(1) : line;
  if (pattern === '') throw new A3sError('usage', 'illegal exclusion pattern: "!"');
  if (pattern.length > PATTERN_MAX) throw syntaxError(pattern.slice(0, PATTERN_MAX));
  const compiled = compilePathPattern(pattern);
  if (compiled === undefined) throw syntaxError(pattern);
  return { exception, pattern: compiled };
}

function syntaxError(pattern: string): A3sError {
  return new A3sError('usage', `syntax error in pattern: ${pattern}`, {
    hint: 'correct the line in .dockerignore; a backslash takes the meaning of *, ?, [ and \\ away',
  });
}

/** `a/b` and `a` for `a/b/c`. For an absolute path `` is one of them, as in Go. */
function directoriesAbove(path: string): string[] {
  const directory = posix.dirname(path);
  if (directory === '.') return [];
  const parts = directory.split('/');
  return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
}
