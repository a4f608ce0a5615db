/** The history of an image, and its times (BuildKit, exporter/containerimage/writer.go: normalizeLayersAndHistory, patchImageConfig). */
import { A3sError } from '../../errors.ts';
import { isObject } from '../../json.ts';
import { type GoValue, unlessEmpty } from './go-json.ts';

/** What BuildKit notes of each of its steps. */
export const COMMENT = 'buildkit.dockerfile.v0';

export interface HistoryStep {
  /** RFC 3339; null until it is known. */
  created: string | null;
  createdBy: string;
  author: string;
  comment: string;
  emptyLayer: boolean;
  /** From the base image: its time stays. */
  ofBase: boolean;
}

/** @throws A3sError `image_broken` naming the field. */
export function readHistory(document: unknown): HistoryStep[] {
  const history = isObject(document) ? document['history'] : undefined;
  if (history == null) return [];
  if (!Array.isArray(history)) throw broken('config.history');
  return history.map((item: unknown, n) => {
    if (!isObject(item)) throw broken(`config.history[${n}]`);
    const text = (key: string): string => {
      const value = item[key] ?? '';
      if (typeof value !== 'string') throw broken(`config.history[${n}].${key}`);
      return value;
    };
    const created = text('created');
    return {
      created: created === '' ? null : goTime(created),
      createdBy: text('created_by'),
      author: text('author'),
      comment: text('comment'),
      emptyLayer: item['empty_layer'] === true,
      ofBase: true,
    };
  });
}

/**
 * Steps that have no time get that of the first layer after them that is new, or else of what is before them.
 * @param epoch RFC 3339: nothing that was made here is later.
 */
export function datedHistory(history: readonly HistoryStep[], epoch: string | null): HistoryStep[] {
  const firstWithout = history.findIndex(({ created }) => created === null);
  const next = history.find(({ created }, n) => created !== null && n > firstWithout);
  let last =
    (firstWithout < 0 ? undefined : next?.created) ??
    history.findLast(({ created }) => created !== null)?.created ??
    null;
  let isBehind = false;
  return history.map((step) => {
    if (step.created !== null) {
      if (isBehind) last = step.created;
      return clamped(step, epoch);
    }
    isBehind = true;
    return clamped({ ...step, created: last }, epoch);
  });
}

/** The time of the image: that of its last step. */
export function createdOf(history: readonly HistoryStep[]): string | null {
  return history.findLast(({ created }) => created !== null)?.created ?? null;
}

/** A history that tells of more layers than there are: what is too much at its end has none. */
export function accounted(history: readonly HistoryStep[], layers: number): HistoryStep[] {
  let left = layers;
  return history.map((step) => {
    if (step.emptyLayer) return step;
    left -= 1;
    return left >= 0 ? step : { ...step, emptyLayer: true };
  });
}

export function historyJson(history: readonly HistoryStep[]): GoValue {
  // Go's empty list is none at all.
  if (history.length === 0) return null;
  return history.map(({ created, createdBy, author, comment, emptyLayer }) => ({
    created: created ?? undefined,
    created_by: unlessEmpty(createdBy),
    author: unlessEmpty(author),
    comment: unlessEmpty(comment),
    empty_layer: unlessEmpty(emptyLayer),
  }));
}

/** A time as Go writes it: no zeros at the end of a fraction, `Z` for Greenwich. */
export function goTime(text: string): string {
  return text
    .replace(/(\.\d*?)0+(?=Z|[+-]|$)/, '$1')
    .replace(/\.(?=Z|[+-]|$)/, '')
    .replace(/[+-]00:00$/, 'Z');
}

function clamped(step: HistoryStep, epoch: string | null): HistoryStep {
  if (epoch === null || step.ofBase) return step;
  const isLater = step.created === null || Date.parse(step.created) > Date.parse(epoch);
  return isLater ? { ...step, created: epoch } : step;
}

function broken(what: string): A3sError {
  return new A3sError('image_broken', `the image has a bad field: ${what}`);
}
