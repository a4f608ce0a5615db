/** `created_by` of an image's history, as BuildKit writes it. Pure. */
import { goDuration } from '../../../go-duration.ts';
import { goQuote } from '../../../go-quote.ts';
import type { Add, Copy, Healthcheck, Instruction } from '../instructions/types.ts';
import type { Pair } from '../syntax/tree.ts';

export interface HistoryDetails {
  /** RUN, CMD, ENTRYPOINT: the words with the shell's. */
  words: readonly string[];
  /** RUN: ARGs with their values (`StageVariables.declared`). */
  declared: readonly (readonly [string, string])[];
  /** WORKDIR: the absolute path. */
  workingDirectory: string;
}

const LAYER_MARK = ' # buildkit';

/** Undefined for ONBUILD, which has no entry. The instruction has to be evaluated. */
export function createdBy(instruction: Instruction, details: HistoryDetails): string | undefined {
  switch (instruction.kind) {
    case 'add':
    case 'copy':
      return transferText(instruction) + LAYER_MARK;
    case 'arg':
      return `ARG ${instruction.arguments.map(({ key, value }) => (value === null ? key : `${key}=${value}`)).join(' ')}`;
    case 'cmd':
    case 'entrypoint':
      return `${instruction.kind.toUpperCase()} [${details.words.map(goQuote).join(' ')}]`;
    case 'env':
    case 'label':
      return `${instruction.kind.toUpperCase()} ${pairsText(instruction.pairs)}`;
    case 'expose':
      return `EXPOSE [${instruction.ports.join(' ')}]`;
    case 'healthcheck':
      return healthcheckText(instruction);
    case 'maintainer':
      return `MAINTAINER ${instruction.name}`;
    case 'onbuild':
      return undefined;
    case 'run':
      return `RUN ${[...declaredWords(details.declared), ...details.words].join(' ')}${LAYER_MARK}`;
    case 'shell':
      return `SHELL [${instruction.words.join(' ')}]`;
    case 'stopsignal':
      return `STOPSIGNAL ${instruction.signal}`;
    case 'user':
      return `USER ${instruction.name}`;
    case 'volume':
      return `VOLUME [${instruction.paths.join(' ')}]`;
    case 'workdir':
      return `WORKDIR ${details.workingDirectory}`;
    default:
      return instruction satisfies never;
  }
}

function pairsText(pairs: readonly Pair[]): string {
  return pairs.map(({ key, value }) => `${key}=${value}`).join(' ');
}

function declaredWords(declared: HistoryDetails['declared']): string[] {
  if (declared.length === 0) return [];
  return [`|${declared.length}`, ...declared.map(([name, value]) => `${name}=${value}`)];
}

function transferText(transfer: Copy | Add): string {
  return [
    transfer.kind.toUpperCase(),
    ...(transfer.kind === 'copy' && transfer.parents ? ['--parents'] : []),
    ...(transfer.chown === '' ? [] : [`--chown=${transfer.chown}`]),
    ...(transfer.chmod === '' ? [] : [`--chmod=${transfer.chmod}`]),
    ...transfer.sources,
    ...transfer.files.map(({ name }) => `<<${name}`),
    transfer.destination,
  ].join(' ');
}

function healthcheckText(check: Healthcheck): string {
  const { test, interval, timeout, startPeriod, startInterval, retries } = check;
  const times = [
    `Interval:${goDuration(interval)}`,
    `Timeout:${goDuration(timeout)}`,
    `StartPeriod:${goDuration(startPeriod)}`,
    `StartInterval:${goDuration(startInterval)}`,
  ];
  return `HEALTHCHECK {Test:[${test.join(' ')}] ${times.join(' ')} Retries:${retries}}`;
}
