/** An image's configuration and manifest, checked (OCI image specification 1.1; Docker's keys where it has more). */
import { A3sError } from '../errors.ts';
import { isObject } from '../json.ts';
import type { HealthCheck } from '../state/record.ts';
import { isDigest } from './reference.ts';

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations: Record<string, string>;
}

export interface Manifest {
  config: Descriptor;
  layers: Descriptor[];
}

export interface ImageConfig {
  /** Go's name of the processor, e.g. `amd64`. */
  architecture: string;
  /** Of the processor; empty when it does not matter. */
  variant: string;
  os: string;
  /** RFC 3339; empty when the image does not say. */
  created: string;
  author: string;
  env: string[];
  entrypoint: string[];
  cmd: string[];
  workingDir: string;
  user: string;
  /** `80/tcp` and so on. */
  exposedPorts: string[];
  volumes: string[];
  stopSignal: string;
  /** Triggers for images that are built on it. */
  onBuild: string[];
  /** What commands without the JSON form are given to; empty for the default. */
  shell: string[];
  /** Docker's own key; null when the image has none. */
  healthcheck: HealthCheck | null;
  labels: Record<string, string>;
  /** Digests of the uncompressed layers, lowest first. */
  diffIds: string[];
  history: HistoryEntry[];
}

/** A step that an image was made in; those that change no file have no layer. */
export interface HistoryEntry {
  /** RFC 3339; empty when the step does not say. */
  created: string;
  createdBy: string;
  comment: string;
  emptyLayer: boolean;
}

type JsonObject = Record<string, unknown>;

/** @throws A3sError `image_broken` naming the field. */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  const fields = object(value, what);
  const { digest, size } = fields;
  if (typeof digest !== 'string' || !isDigest(digest)) throw broken(`${what}.digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw broken(`${what}.size`);
  return {
    // Whatever else it says (platform, urls) is kept when an index is written again.
    ...fields,
    mediaType: string(fields['mediaType'], `${what}.mediaType`),
    digest,
    size,
    annotations: stringMap(fields['annotations'], `${what}.annotations`),
  };
}

/** @throws A3sError `image_broken` naming the field. */
export function parseManifest(value: unknown): Manifest {
  const fields = object(value, 'manifest');
  const { layers } = fields;
  if (!Array.isArray(layers)) throw broken('manifest.layers');
  return {
    config: parseDescriptor(fields['config'], 'manifest.config'),
    layers: layers.map((layer, index) => parseDescriptor(layer, `manifest.layers[${index}]`)),
  };
}

/** @throws A3sError `image_broken` naming the field. */
export function parseConfig(value: unknown): ImageConfig {
  const fields = object(value, 'config');
  const run = fields['config'] == null ? {} : object(fields['config'], 'config.config');
  const rootfs = object(fields['rootfs'], 'config.rootfs');
  const diffIds = strings(rootfs['diff_ids'], 'config.rootfs.diff_ids');
  if (!diffIds.every(isDigest)) throw broken('config.rootfs.diff_ids');
  return {
    architecture: string(fields['architecture'], 'config.architecture'),
    variant: string(fields['variant'], 'config.variant'),
    os: string(fields['os'], 'config.os'),
    created: string(fields['created'], 'config.created'),
    author: string(fields['author'], 'config.author'),
    env: strings(run['Env'], 'config.Env'),
    entrypoint: strings(run['Entrypoint'], 'config.Entrypoint'),
    cmd: strings(run['Cmd'], 'config.Cmd'),
    workingDir: string(run['WorkingDir'], 'config.WorkingDir'),
    user: string(run['User'], 'config.User'),
    exposedPorts: keys(run['ExposedPorts'], 'config.ExposedPorts'),
    volumes: keys(run['Volumes'], 'config.Volumes'),
    stopSignal: string(run['StopSignal'], 'config.StopSignal'),
    onBuild: strings(run['OnBuild'], 'config.OnBuild'),
    shell: strings(run['Shell'], 'config.Shell'),
    healthcheck: healthcheck(run['Healthcheck']),
    labels: stringMap(run['Labels'], 'config.Labels'),
    diffIds,
    history: history(fields['history']),
  };
}

function history(value: unknown): HistoryEntry[] {
  if (value == null) return [];
  if (!Array.isArray(value)) throw broken('config.history');
  return value.map((item: unknown, n) => {
    const what = `config.history[${n}]`;
    const step = object(item, what);
    return {
      created: string(step['created'], `${what}.created`),
      createdBy: string(step['created_by'], `${what}.created_by`),
      comment: string(step['comment'], `${what}.comment`),
      emptyLayer: step['empty_layer'] === true,
    };
  });
}

function object(value: unknown, what: string): JsonObject {
  if (!isObject(value)) throw broken(what);
  return value;
}

// Absent and null are both "not set": Go writes either.
function string(value: unknown, what: string): string {
  if (value == null) return '';
  if (typeof value !== 'string') throw broken(what);
  return value;
}

function strings(value: unknown, what: string): string[] {
  if (value == null) return [];
  if (!Array.isArray(value)) throw broken(what);
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw broken(what);
    return item;
  });
}

function keys(value: unknown, what: string): string[] {
  return value == null ? [] : Object.keys(object(value, what));
}

/** A check without a test inherits one that is not there. */
function healthcheck(value: unknown): HealthCheck | null {
  if (value == null) return null;
  const fields = object(value, 'config.Healthcheck');
  const number = (key: string): number => {
    const count = fields[key] ?? 0;
    if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) {
      throw broken(`config.Healthcheck.${key}`);
    }
    return count;
  };
  const test = strings(fields['Test'], 'config.Healthcheck.Test');
  if (test.length === 0) return null;
  return {
    test,
    interval: number('Interval'),
    timeout: number('Timeout'),
    start_period: number('StartPeriod'),
    start_interval: number('StartInterval'),
    retries: number('Retries'),
  };
}

function stringMap(value: unknown, what: string): Record<string, string> {
  if (value == null) return {};
  return Object.fromEntries(
    Object.entries(object(value, what)).map(([key, item]) => [key, string(item, `${what}.${key}`)]),
  );
}

function broken(what: string): A3sError {
  return new A3sError('image_broken', `the image has a bad field: ${what}`);
}
