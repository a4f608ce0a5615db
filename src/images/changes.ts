/** `--change`: Dockerfile instructions that alter an image's configuration (Docker's `config` object). Pure. */
import { posix } from 'node:path';

import { A3sError } from '../errors.ts';
import { objectOr } from '../json.ts';

type Config = Record<string, unknown>;
type Change = (config: Config, words: string) => Config;

const SHELL = ['/bin/sh', '-c'];

const CHANGES: Readonly<Record<string, Change>> = {
  CMD: (config, words) => ({ ...config, Cmd: command(words) }),
  // A new entrypoint takes no arguments that were meant for the old one.
  ENTRYPOINT: (config, words) => ({ ...config, Entrypoint: command(words), Cmd: null }),
  ENV: (config, words) => ({ ...config, Env: withVariables(config['Env'], pairs('ENV', words)) }),
  EXPOSE: (config, words) => ({
    ...config,
    ExposedPorts: withKeys(config['ExposedPorts'], split(words).map(port)),
  }),
  LABEL: (config, words) => ({
    ...config,
    Labels: { ...objectOr(config['Labels']), ...Object.fromEntries(pairs('LABEL', words)) },
  }),
  ONBUILD: (config, words) => ({ ...config, OnBuild: [...list(config['OnBuild']), words] }),
  STOPSIGNAL: (config, words) => ({ ...config, StopSignal: words }),
  USER: (config, words) => ({ ...config, User: words }),
  VOLUME: (config, words) => ({
    ...config,
    Volumes: withKeys(config['Volumes'], words.startsWith('[') ? array(words) : split(words)),
  }),
  WORKDIR: (config, words) => ({
    ...config,
    WorkingDir: posix.resolve('/', text(config['WorkingDir']), words),
  }),
};

/**
 * The configuration with the instructions applied, in order.
 * @throws A3sError `usage` naming the instruction.
 */
export function applyChanges(config: Config, changes: readonly string[]): Config {
  return changes.reduce((changed, line) => {
    const [, name = '', words = ''] = /^\s*(\S+)\s*([\s\S]*?)\s*$/.exec(line) ?? [];
    const change = Object.hasOwn(CHANGES, name.toUpperCase()) ? CHANGES[name.toUpperCase()] : undefined;
    if (change === undefined) {
      throw new A3sError('usage', `${name.toLowerCase()} is not a valid change command`, {
        hint: `known are ${Object.keys(CHANGES).join(', ')}`,
      });
    }
    if (words === '') throw new A3sError('usage', `${name.toUpperCase()} requires at least one argument`);
    return change(changed, words);
  }, config);
}

/** The JSON form, or what a shell is to run. */
function command(words: string): string[] {
  return words.startsWith('[') ? array(words) : [...SHELL, words];
}

function array(words: string): string[] {
  try {
    const value: unknown = JSON.parse(words);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  } catch {
    // Said below.
  }
  throw new A3sError('usage', `not a JSON array of strings: ${words}`);
}

/** Words apart at blanks; quotes and backslashes keep them together. */
function split(words: string): string[] {
  const found = words.match(/(?:"(?:\\.|[^"\\])*"|'[^']*'|\\[\s\S]|[^\s"'\\])+/g) ?? [];
  return found.map((word) =>
    word.replaceAll(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\([\s\S])/g, (_all, double, single, escaped) =>
      String(double?.replaceAll(/\\(["\\$])/g, '$1') ?? single ?? escaped),
    ),
  );
}

/** `K=V …`, or the old form `K V` for one. */
function pairs(name: string, words: string): [string, string][] {
  const parts = split(words);
  if (!parts[0]?.includes('=')) {
    const [, key, value] = /^(\S+)\s+([\s\S]+)$/.exec(words) ?? [];
    if (key === undefined || value === undefined)
      throw new A3sError('usage', `${name} must have two arguments`);
    return [[key, value]];
  }
  return parts.map((part) => {
    const equals = part.indexOf('=');
    if (equals < 1)
      throw new A3sError(
        'usage',
        `Syntax error - can't find = in "${part}". Must be of the form: name=value`,
      );
    return [part.slice(0, equals), part.slice(equals + 1)];
  });
}

function withVariables(env: unknown, added: readonly [string, string][]): string[] {
  const names = new Set(added.map(([name]) => name));
  const kept = list(env).filter((variable) => !names.has(variable.split('=', 1)[0] ?? ''));
  return [...kept, ...added.map(([name, value]) => `${name}=${value}`)];
}

function withKeys(keys: unknown, added: readonly string[]): Record<string, unknown> {
  return { ...objectOr(keys), ...Object.fromEntries(added.map((key) => [key, {}])) };
}

function port(text: string): string {
  if (!/^\d{1,5}(?:-\d{1,5})?(?:\/(?:tcp|udp|sctp))?$/.test(text)) {
    throw new A3sError('usage', `Invalid containerPort: ${text}`);
  }
  return text.includes('/') ? text : `${text}/tcp`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
