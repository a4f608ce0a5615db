/** Rules about FROM. */
import { A3sError } from '../../errors.ts';
import { parsePlatform } from '../../images/platform.ts';
import { parseReference } from '../../images/reference.ts';
import { DockerfileError } from '../dockerfile/error.ts';
import type { From } from '../dockerfile/instructions/types.ts';
import type { Dockerfile } from '../dockerfile/parse-dockerfile.ts';
import { nearest } from '../dockerfile/suggest.ts';
import type { Escape } from '../dockerfile/syntax/tree.ts';
import { type Expansion, expand } from '../dockerfile/words/expand.ts';
import type { Findings } from './findings.ts';
import { messages } from './rules.ts';

const TARGET = 'TARGETPLATFORM';

export interface FromOptions {
  /** Values of the ARGs before the first FROM, and of predefined ones. */
  globals: ReadonlyMap<string, string>;
  escape: Escape;
  /** ARGs before the first FROM, those without a value too. */
  declared: ReadonlySet<string>;
}

/** @throws DockerfileError for what cannot be expanded. */
export function lintFrom(from: From, options: FromOptions, findings: Findings): void {
  undeclared(from, expand(from.base, options.globals, options), options, findings);
  if (from.platform === '') return;
  const platform = expand(from.platform, options.globals, options);
  undeclared(from, platform, options, findings);
  redundantPlatform(from, platform, options, findings);
  constantPlatform(from, platform, findings);
}

function undeclared(
  from: From,
  { unset }: Expansion,
  { globals, declared }: FromOptions,
  findings: Findings,
): void {
  for (const name of unset) {
    if (declared.has(name)) continue;
    const near = nearest(name, [...declared, ...globals.keys()]);
    findings.add('UndefinedArgInFrom', messages.undefinedArg(name, near), from.lines);
  }
}

function redundantPlatform(
  from: From,
  { text, used, unset }: Expansion,
  { globals }: FromOptions,
  findings: Findings,
): void {
  if (used.size !== 1 || unset.size > 0 || !used.has(TARGET) || text !== globals.get(TARGET)) return;
  findings.add('RedundantTargetPlatform', messages.targetPlatform(from.platform), from.lines);
}

/** A name that says what the platform is for is a reason for it. */
function constantPlatform(from: From, { text, used, unset }: Expansion, findings: Findings): void {
  if (used.size > 0 || unset.size > 0) return;
  try {
    const { os, architecture } = parsePlatform(text);
    if (from.name.includes(os) || from.name.includes(architecture)) return;
  } catch (error) {
    // The build says what is wrong with it.
    if (error instanceof A3sError) return;
    throw error;
  }
  findings.add('FromPlatformFlagConstDisallowed', messages.constantPlatform(text), from.lines);
}

/** Whether each base would be an image's name without `--build-arg`. @param defaults global ARGs without it */
export function lintDefaultBases(
  { stages, escape }: Dockerfile,
  defaults: ReadonlyMap<string, string>,
  findings: Findings,
): void {
  for (const { from } of stages) {
    try {
      const base = expand(from.base, defaults, { escape }).text;
      if (isReference(base)) continue;
    } catch (error) {
      // As in BuildKit: the build says what is wrong.
      if (error instanceof DockerfileError) return;
      throw error;
    }
    findings.add('InvalidDefaultArgInFrom', messages.defaultArg(from.base), from.lines);
  }
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (error instanceof A3sError) return false;
    throw error;
  }
}
