/** An image's configuration while its stage is built (BuildKit's dockerfile2llb: dispatch and commitToHistory). */
import type { Platform } from '../../images/platform.ts';
import type { BuiltLayer, StepResult } from '../cache/built-layer.ts';
import type { HistoryDetails } from '../dockerfile/evaluate/history.ts';
import type { Instruction } from '../dockerfile/instructions/types.ts';

/** A layer of the image, lowest first; `contentBytes` of a base's layers are what the store knows of them. */
export type DraftLayer = BuiltLayer;

export interface DraftOptions {
  /** SOURCE_DATE_EPOCH in seconds: the time of every step; null for the time at which it was made. */
  epoch: number | null;
}

export declare class ImageDraft {
  /** `FROM scratch`. */
  static scratch(platform: Platform, options: DraftOptions): ImageDraft;
  /**
   * `FROM` an image.
   * @param configuration the JSON of its configuration.
   * @throws A3sError `image_broken` naming the field.
   */
  static ofImage(configuration: unknown, layers: readonly DraftLayer[], options: DraftOptions): ImageDraft;
  /** `FROM` a stage: a draft of its own that goes on from here. */
  fork(): ImageDraft;

  readonly platform: Platform;
  readonly layers: readonly DraftLayer[];
  /** `NAME=value`, PATH included. */
  readonly env: readonly string[];
  /** What commands without the JSON form are given to. */
  readonly shell: readonly string[];
  readonly user: string;
  /** Absolute. */
  readonly workingDirectory: string;

  /**
   * An evaluated instruction takes effect, with its line of the history.
   * @param result of RUN, COPY, ADD, and of WORKDIR where it made a directory or might have (`/` never does).
   */
  apply(instruction: Instruction, details: HistoryDetails, result?: StepResult): void;
  /** `--label`. */
  label(labels: Readonly<Record<string, string>>): void;
  /** The bytes of the configuration. @param extra further members, e.g. of an inline cache. */
  configuration(extra?: Readonly<Record<string, unknown>>): Buffer;
}
