/** How each instruction cuts its arguments apart (BuildKit's frontend/dockerfile/parser/line_parsers.go). */
import { goQuote } from '../../../go-quote.ts';
import { isSpace, trimStart } from '../characters.ts';
import { DockerfileError } from '../error.ts';
import type { Arguments, Escape, Pair } from './tree.ts';
import { firstWord, quotedWords, splitAtBlanks } from './words.ts';

const NONE: Arguments = { form: 'none' };

type Form = (rest: string, escape: Escape) => Arguments;

const FORMS: Readonly<Record<string, Form>> = {
  add: jsonOrWords,
  arg: (rest, escape) => words(quotedWords(rest, escape)),
  cmd: jsonOrText,
  copy: jsonOrWords,
  entrypoint: jsonOrText,
  env: (rest, escape) => pairs('ENV', rest, escape),
  expose: (rest) => words(splitAtBlanks(rest)),
  from: (rest) => words(splitAtBlanks(rest)),
  healthcheck: check,
  label: (rest, escape) => pairs('LABEL', rest, escape),
  maintainer: text,
  run: jsonOrText,
  shell: jsonOrText,
  stopsignal: text,
  user: text,
  volume: jsonOrWords,
  workdir: text,
};

/**
 * The arguments of an instruction, without its flags; none for an instruction that is not known.
 * @throws DockerfileError for what the syntax does not allow.
 */
export function parseArguments(keyword: string, rest: string, escape: Escape): Arguments {
  const form = Object.hasOwn(FORMS, keyword) ? FORMS[keyword] : undefined;
  return rest === '' || form === undefined ? NONE : form(rest, escape);
}

function text(rest: string): Arguments {
  return { form: 'text', text: rest };
}

function words(found: string[]): Arguments {
  return found.length === 0 ? NONE : { form: 'words', words: found };
}

function jsonOrText(rest: string): Arguments {
  const values = jsonArray(rest);
  return values === undefined ? text(rest) : { form: 'json', values };
}

function jsonOrWords(rest: string): Arguments {
  const values = jsonArray(rest);
  return values === undefined ? words(splitAtBlanks(rest)) : { form: 'json', values };
}

/** Undefined for what is no JSON array: that is the shell form. */
function jsonArray(rest: string): string[] | undefined {
  const json = trimStart(rest);
  if (!json.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (!value.every((item) => typeof item === 'string')) {
    throw new DockerfileError('when using JSON array syntax, arrays must be comprised of strings only');
  }
  return value.map((item) => item.toWellFormed());
}

function pairs(name: string, rest: string, escape: Escape): Arguments {
  const [first, ...more] = quotedWords(rest, escape);
  if (first === undefined) return NONE;
  if (first.includes('=')) return { form: 'pairs', pairs: [first, ...more].map(pair) };
  const { word, rest: value } = firstWord(rest);
  if (word === rest) throw new DockerfileError(`${name} must have two arguments`);
  return { form: 'pairs', pairs: [{ key: word, value }] };
}

function pair(word: string): Pair {
  const equals = word.indexOf('=');
  if (equals < 0) {
    throw new DockerfileError(
      `Syntax error - can't find = in ${goQuote(word)}. Must be of the form: name=value`,
    );
  }
  return { key: word.slice(0, equals), value: word.slice(equals + 1) };
}

function check(rest: string): Arguments {
  let end = 0;
  while (end < rest.length && !isSpace(rest.charAt(end))) end++;
  const command = trimStart(rest.slice(end));
  return {
    form: 'check',
    kind: rest.slice(0, end),
    command: command === '' ? NONE : jsonOrText(command),
  };
}
