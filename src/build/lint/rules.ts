/** BuildKit's rules about Dockerfiles (frontend/dockerfile/linter/ruleset.go; https://docs.docker.com/reference/build-checks/). */
import { goQuote } from '../../go-quote.ts';

export interface Rule {
  description: string;
  /** Only where `check=experimental=` asks for it. */
  experimental?: true;
}

const define = <const T extends Record<string, Rule>>(rules: T): T => rules;

export const rules = define({
  StageNameCasing: { description: 'Stage names should be lowercase' },
  FromAsCasing: { description: "The 'as' keyword should match the case of the 'from' keyword" },
  NoEmptyContinuation: {
    description: 'Empty continuation lines will become errors in a future release',
  },
  ConsistentInstructionCasing: {
    description: 'All commands within the Dockerfile should use the same casing (either upper or lower)',
  },
  DuplicateStageName: { description: 'Stage names should be unique' },
  ReservedStageName: { description: 'Reserved words should not be used as stage names' },
  JSONArgsRecommended: {
    description:
      'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  },
  MaintainerDeprecated: {
    description: 'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  },
  UndefinedArgInFrom: { description: 'FROM command must use declared ARGs' },
  WorkdirRelativePath: {
    description:
      'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  },
  UndefinedVar: { description: 'Variables should be defined before their use' },
  MultipleInstructionsDisallowed: {
    description: 'Multiple instructions of the same type should not be used in the same stage',
  },
  LegacyKeyValueFormat: {
    description: 'Legacy key/value format with whitespace separator should not be used',
  },
  InvalidBaseImagePlatform: {
    description: 'Base image platform does not match expected target platform',
  },
  RedundantTargetPlatform: {
    description:
      'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  },
  SecretsUsedInArgOrEnv: { description: 'Sensitive data should not be used in the ARG or ENV commands' },
  InvalidDefaultArgInFrom: {
    description: 'Default value for global ARG results in an empty or invalid base image name',
  },
  FromPlatformFlagConstDisallowed: {
    description: 'FROM --platform flag should not use a constant value',
  },
  CopyIgnoredFile: { description: 'Attempting to Copy file that is excluded by .dockerignore' },
  InvalidDefinitionDescription: {
    description:
      'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
    experimental: true,
  },
  ExposeProtoCasing: { description: 'Protocol in EXPOSE instruction should be lowercase' },
  ExposeInvalidFormat: {
    description:
      'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
  },
});

export type RuleName = keyof typeof rules;

/** Rules that have no page. */
const WITHOUT_PAGE: ReadonlySet<RuleName> = new Set(['InvalidBaseImagePlatform']);

/** Where the rule is explained; empty where it is nowhere. */
export function ruleUrl(name: RuleName): string {
  if (WITHOUT_PAGE.has(name)) return '';
  const slug = name.replace(/^JSON/, 'Json').replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`);
  return `https://docs.docker.com/go/dockerfile/rule/${slug.toLowerCase()}/`;
}

const didYouMean = (name: string | undefined, sign: string): string =>
  name === undefined ? '' : ` (did you mean ${sign}${name}?)`;

/** What is wrong, in BuildKit's words. */
export const messages = {
  stageNameCasing: (stage: string) => `Stage name '${stage}' should be lowercase`,
  fromAsCasing: (from: string, as: string) => `'${as}' and '${from}' keywords' casing do not match`,
  noEmptyContinuation: () => 'Empty continuation line',
  instructionCasing: (word: string, casing: 'lowercase' | 'uppercase') =>
    `Command '${word}' should match the case of the command majority (${casing})`,
  duplicateStageName: (stage: string) =>
    `Duplicate stage name ${goQuote(stage)}, stage names should be unique`,
  reservedStageName: (stage: string) =>
    `Stage name should not use the same name as reserved stage ${goQuote(stage)}`,
  jsonRecommended: (word: string) =>
    `JSON arguments recommended for ${word} to prevent unintended behavior related to OS signals`,
  maintainer: () => 'Maintainer instruction is deprecated in favor of using label',
  undefinedArg: (name: string, near: string | undefined) =>
    `FROM argument '${name}' is not declared${didYouMean(near, '')}`,
  relativeWorkdir: (path: string) =>
    `Relative workdir ${goQuote(path)} can have unexpected results if the base image changes`,
  undefinedVar: (name: string, near: string | undefined) =>
    `Usage of undefined variable '$${name}'${didYouMean(near, '$')}`,
  multiple: (word: string) =>
    `Multiple ${word} instructions should not be used in the same stage because only the last one will be used`,
  legacyPair: (word: string) =>
    `"${word} key=value" should be used instead of legacy "${word} key value" format`,
  imagePlatform: (image: string, actual: string, expected: string) =>
    `Base image ${image} was pulled with platform ${goQuote(actual)}, expected ${goQuote(expected)} for current build`,
  targetPlatform: (written: string) =>
    `Setting platform to predefined ${written} in FROM is redundant as this is the default behavior`,
  secret: (instruction: 'ARG' | 'ENV', name: string) =>
    `Do not use ARG or ENV instructions for sensitive data (${instruction} ${goQuote(name)})`,
  defaultArg: (base: string) => `Default value for ARG ${base} results in empty or invalid base image name`,
  constantPlatform: (platform: string) =>
    `FROM --platform flag should not use constant value ${goQuote(platform)}`,
  ignoredFile: (verb: 'Copy' | 'Add', path: string) =>
    `Attempting to ${verb} file ${goQuote(path)} that is excluded by .dockerignore`,
  description: (instruction: 'ARG' | 'FROM', name: string) =>
    `Comment for ${instruction} should follow the format: \`# ${name} <description>\``,
  protocolCasing: (port: string) => `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
  exposeFormat: (port: string) =>
    `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
} as const;
