/** `check=…`: which rules count, for a Dockerfile or for one instruction (BuildKit's linter.ParseLintOptions). Pure. */
import { goQuote } from '../../go-quote.ts';
import { trim } from '../dockerfile/characters.ts';
import { DockerfileError } from '../dockerfile/error.ts';

/** `all`, or names of rules. */
export type RuleSet = 'all' | ReadonlySet<string>;

export interface CheckOptions {
  skip: RuleSet;
  /** Rules that only count when they are asked for. */
  experimental: RuleSet;
  /** A finding ends the build. */
  error: boolean;
}

export const NO_OPTIONS: CheckOptions = { skip: new Set(), experimental: new Set(), error: false };

/** More than these are one. */
const FIELDS_MAX = 3;
const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
const COMMENT = /^check\s*=\s*(\S+)/i;

/**
 * `skip=Rule,Rule;experimental=all;error=true`.
 * @throws DockerfileError
 */
export function parseCheckOptions(text: string): CheckOptions {
  const options = { ...NO_OPTIONS };
  const given = trim(text);
  if (given === '') return options;
  const fields = given.split(';');
  const parts = [
    ...fields.slice(0, FIELDS_MAX - 1),
    ...(fields.length < FIELDS_MAX ? [] : [fields.slice(FIELDS_MAX - 1).join(';')]),
  ];
  for (const part of parts) {
    const equals = part.indexOf('=');
    if (equals < 0) throw new DockerfileError(`invalid check option ${goQuote(part)}`);
    const key = trim(part.slice(0, equals));
    const value = trim(part.slice(equals + 1));
    if (key === 'skip') options.skip = ruleSet(value);
    else if (key === 'experimental') options.experimental = ruleSet(value);
    else if (key === 'error') options.error = parseBool(value, part);
    else throw new DockerfileError(`invalid check option ${goQuote(key)}`);
  }
  return options;
}

/** What the comments above an instruction add for it. What cannot be read adds nothing, as in BuildKit. */
export function withComments(options: CheckOptions, comments: readonly string[]): CheckOptions {
  const found = comments.map((comment) => COMMENT.exec(comment)?.[1]).find((value) => value !== undefined);
  if (found === undefined) return options;
  try {
    const { skip, experimental } = parseCheckOptions(found);
    return {
      ...options,
      skip: union(options.skip, skip),
      experimental: union(options.experimental, experimental),
    };
  } catch (error) {
    if (error instanceof DockerfileError) return options;
    throw error;
  }
}

function ruleSet(value: string): RuleSet {
  return value === 'all' ? 'all' : new Set(value.split(',').map(trim));
}

function union(one: RuleSet, other: RuleSet): RuleSet {
  return one === 'all' || other === 'all' ? 'all' : new Set([...one, ...other]);
}

function parseBool(value: string, part: string): boolean {
  if (TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  throw new DockerfileError(
    `failed to parse check option ${goQuote(part)}: strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`,
  );
}
