/** An image's configuration while its stage is built (BuildKit, dockerfile2llb: dispatch and commitToHistory). */
import { posix } from 'node:path';

import { normal, type Platform } from '../../images/platform.ts';
import type { BuiltLayer, StepResult } from '../cache/built-layer.ts';
import { DEFAULT_SHELL } from '../dockerfile/evaluate/command-line.ts';
import { createdBy, type HistoryDetails } from '../dockerfile/evaluate/history.ts';
import type { Instruction } from '../dockerfile/instructions/types.ts';
import { applyInstruction } from './apply-instruction.ts';
import {
  copyRunConfiguration,
  emptyRunConfiguration,
  type PlatformFields,
  readAuthor,
  readPlatform,
  readRunConfiguration,
  type RunConfiguration,
  runConfigurationJson,
} from './configuration.ts';
import { EMPTY_LAYER } from './empty-layer.ts';
import { type GoValue, goJsonText, unlessEmpty } from './go-json.ts';
import {
  accounted,
  COMMENT,
  createdOf,
  datedHistory,
  goTime,
  historyJson,
  type HistoryStep,
  readHistory,
} from './steps.ts';

/** What a RUN finds its programs with when the image does not say (BuildKit's system.DefaultPathEnvUnix). */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface DraftOptions {
  /** SOURCE_DATE_EPOCH in seconds: the time of every step; null for the time at which it was made. */
  epoch: number | null;
}

interface Parts {
  platform: PlatformFields;
  author: string;
  run: RunConfiguration;
  history: HistoryStep[];
  layers: BuiltLayer[];
  /** RFC 3339; null for no epoch. */
  epoch: string | null;
}

export class ImageDraft {
  readonly #parts: Parts;
  /** CMD was there in this stage: ENTRYPOINT leaves it. */
  #hasCommand = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
    const { run } = parts;
    if (!run.env.some((variable) => variable.startsWith('PATH='))) run.env.push(`PATH=${DEFAULT_PATH}`);
    if (run.workingDir !== '') run.workingDir = posix.resolve('/', run.workingDir);
  }

  /** `FROM scratch`. */
  static scratch(platform: Platform, { epoch }: DraftOptions): ImageDraft {
    return new ImageDraft({
      platform: { ...platform, osVersion: '', osFeatures: [] },
      author: '',
      run: { ...emptyRunConfiguration(), workingDir: '/' },
      history: [],
      layers: [],
      epoch: timeOf(epoch),
    });
  }

  /**
   * `FROM` an image. Its ONBUILD triggers are the caller's to run, and do not go on from here.
   * @param document the JSON of its configuration.
   * @param layers lowest first; their `contentBytes` are what the store knows.
   * @throws A3sError `image_broken` naming the field.
   */
  static ofImage(document: unknown, layers: readonly BuiltLayer[], { epoch }: DraftOptions): ImageDraft {
    return new ImageDraft({
      platform: readPlatform(document),
      author: readAuthor(document),
      run: { ...readRunConfiguration(document), onBuild: [] },
      history: accounted(readHistory(document), layers.length),
      layers: [...layers],
      epoch: timeOf(epoch),
    });
  }

  /** `FROM` a stage: a draft of its own that goes on from here. */
  fork(): ImageDraft {
    const { history, layers, run, ...rest } = this.#parts;
    return new ImageDraft({
      ...rest,
      run: { ...copyRunConfiguration(run), onBuild: [] },
      history: [...history],
      layers: [...layers],
    });
  }

  get platform(): Platform {
    const { os, architecture, variant } = this.#parts.platform;
    return normal(os, architecture, variant);
  }

  /** Lowest first. A step that changed nothing has `EMPTY_LAYER`. */
  get layers(): readonly BuiltLayer[] {
    return this.#parts.layers;
  }

  /** `NAME=value`, PATH included. */
  get env(): readonly string[] {
    return this.#parts.run.env;
  }

  /** What commands without the JSON form are given to. */
  get shell(): readonly string[] {
    const { shell } = this.#parts.run;
    return shell.length > 0 ? shell : DEFAULT_SHELL;
  }

  get user(): string {
    return this.#parts.run.user;
  }

  /** Absolute. */
  get workingDirectory(): string {
    return this.#parts.run.workingDir === '' ? '/' : this.#parts.run.workingDir;
  }

  /** Instructions that wait for a stage on this one. */
  get onBuild(): readonly string[] {
    return this.#parts.run.onBuild;
  }

  /**
   * An evaluated instruction takes effect, with its line of the history.
   * @param result of RUN, COPY and ADD, and of WORKDIR unless it is `/`.
   */
  apply(instruction: Instruction, details: HistoryDetails, result?: StepResult): void {
    const parts = this.#parts;
    if (instruction.kind === 'maintainer') parts.author = instruction.name;
    if (instruction.kind === 'cmd') this.#hasCommand = true;
    applyInstruction(parts.run, instruction, { ...details, keepsCommand: this.#hasCommand });
    const text = createdBy(instruction, details);
    if (text === undefined) return;
    if (result !== undefined) parts.layers.push(result.layer ?? EMPTY_LAYER);
    const made = result === undefined ? null : goTime(result.created);
    parts.history.push({
      created: parts.epoch ?? made,
      createdBy: text,
      author: '',
      comment: COMMENT,
      emptyLayer: result === undefined,
      ofBase: false,
    });
  }

  /** `--label`. */
  label(labels: Readonly<Record<string, string>>): void {
    for (const [key, value] of Object.entries(labels)) this.#parts.run.labels.set(key, value);
  }

  /** The bytes of the configuration. @param extra further members, e.g. an inline cache. */
  configuration(extra: Readonly<Record<string, GoValue>> = {}): Buffer {
    const { platform, author, run, layers, epoch } = this.#parts;
    const history = datedHistory(this.#wholeHistory(), epoch);
    // A map in BuildKit: its keys are sorted.
    const members = new Map<string, GoValue>(Object.entries(extra));
    const add = (name: string, value: GoValue | undefined): void => {
      if (value !== undefined) members.set(name, value);
    };
    add('architecture', platform.architecture);
    add('author', unlessEmpty(author));
    add('config', runConfigurationJson(run));
    add('created', createdOf(history));
    add('history', historyJson(history));
    add('os', platform.os);
    add('os.features', unlessEmpty(platform.osFeatures));
    add('os.version', unlessEmpty(platform.osVersion));
    add('rootfs', {
      type: 'layers',
      diff_ids: layers.length === 0 ? null : layers.map(({ diffId }) => diffId),
    });
    add('variant', unlessEmpty(platform.variant));
    return Buffer.from(goJsonText(members));
  }

  /** Layers that the history does not tell of get a line at its end. */
  #wholeHistory(): HistoryStep[] {
    const { history, layers } = this.#parts;
    const missing = layers.length - history.filter(({ emptyLayer }) => !emptyLayer).length;
    const created = createdOf(history.filter(({ ofBase }) => ofBase));
    return [
      ...history,
      ...Array.from({ length: missing }, () => ({
        created,
        createdBy: '',
        author: '',
        comment: 'buildkit.exporter.image.v0',
        emptyLayer: false,
        ofBase: true,
      })),
    ];
  }
}

function timeOf(epoch: number | null): string | null {
  return epoch === null ? null : goTime(new Date(epoch * 1000).toISOString());
}
